// The two processes of questions by WebSocket, with many under way.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { takeMessages } from "./peer-process.ts";
import type { AsksRound } from "./ws-asks.ts";

if (process.argv[2] === "server") serve();
else ask();

function serve(): void {
  takeMessages(async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.on("connection", (webSocket) => webSocket.on("message", (bytes: Buffer) => webSocket.send(bytes)));
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port };
  });
}

function ask(): void {
  let webSocket: WebSocket | undefined;
  takeMessages(async ({ port, count, inFlight }: AsksRound & { readonly port: number }) => {
    if (webSocket === undefined) {
      webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      await once(webSocket, "open");
    }
    const opened = webSocket;
    // Answers come in the order of questions: nobody has to look for who asked.
    let [asked, answered, sum] = [0, 0, 0];
    const next = (): void => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeDoubleLE(++asked);
      opened.send(bytes);
    };
    const done = new Promise<{ readonly sum: number }>((resolve) => {
      const listen = (bytes: Buffer): void => {
        sum += bytes.readDoubleLE(0);
        if (asked < count) next();
        if (++answered < count) return;
        opened.off("message", listen);
        resolve({ sum });
      };
      opened.on("message", listen);
    });
    while (asked < inFlight) next();
    return done;
  });
}
