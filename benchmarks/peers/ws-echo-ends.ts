// The two processes of the echo by WebSocket.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { takeMessages } from "./peer-process.ts";
import type { EchoRound } from "./ws-echo.ts";

const pingBytes = 100;

if (process.argv[2] === "server") serve();
else ping();

function serve(): void {
  takeMessages(async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.on("connection", (webSocket) => webSocket.on("message", (bytes: Buffer) => webSocket.send(bytes)));
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port };
  });
}

function ping(): void {
  let webSocket: WebSocket | undefined;
  takeMessages(async ({ port, warmups, count }: EchoRound & { readonly port: number }) => {
    if (webSocket === undefined) {
      webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      await once(webSocket, "open");
    }
    const opened = webSocket;
    let answered: ((bytes: Buffer) => void) | undefined;
    const listen = (bytes: Buffer): void => answered?.(bytes);
    opened.on("message", listen);
    const times: number[] = [];
    for (let index = 0; index < warmups + count; index++) {
      const bytes = new Uint8Array(pingBytes).fill(index);
      const answer = new Promise<Buffer>((resolve) => (answered = resolve));
      const from = performance.now();
      opened.send(bytes);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if ((await answer)[0] !== bytes[0]) throw new Error("another message came back than was sent");
      if (index >= warmups) times.push(performance.now() - from);
    }
    opened.off("message", listen);
    return times;
  });
}
