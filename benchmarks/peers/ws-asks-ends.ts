// The two processes of questions by WebSocket, with many under way.

import type { WebSocket } from "ws";
import { takeMessages } from "./peer-process.ts";
import { connectTo, serveEcho } from "./ws-ends.ts";
import type { AsksRound } from "./ws-asks.ts";

if (process.argv[2] === "server") takeMessages(serveEcho);
else ask();

function ask(): void {
  let webSocket: WebSocket | undefined;
  takeMessages(async ({ port, count, inFlight }: AsksRound & { readonly port: number }) => {
    webSocket ??= await connectTo(port);
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
