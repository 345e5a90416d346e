// The two processes of the echo by WebSocket.

import type { WebSocket } from "ws";
import { takeMessages } from "./peer-process.ts";
import { connectTo, serveEcho } from "./ws-ends.ts";
import type { EchoRound } from "./ws-echo.ts";

const pingBytes = 100;

if (process.argv[2] === "server") takeMessages(serveEcho);
else ping();

function ping(): void {
  let webSocket: WebSocket | undefined;
  takeMessages(async ({ port, warmups, count }: EchoRound & { readonly port: number }) => {
    webSocket ??= await connectTo(port);
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
