// The two processes of the exchange by WebSocket. The server sends: a client's messages are masked, which takes longer than all
// the rest. No compression; reads of a message aren't awaited one by one, so that both processes are busy all the time.

import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import { WebSocket, WebSocketServer } from "ws";
import { drawLetters, drawMeasures, MeasureDigest, stateOf, type Measure } from "../data/draw.ts";
import { wallClockMs } from "../harness/reported.ts";
import { takeMessages } from "./peer-process.ts";
import type { WsRound } from "./ws-exchange.ts";

type Asked =
  | { readonly kind: "listen" }
  | { readonly kind: "connect"; readonly port: number }
  | ({ readonly kind: "send" } & WsRound);

// As much as a link of ours may hold.
const bytesAhead = 16 << 20;

if (process.argv[2] === "sender") send();
else receive();

function send(): void {
  const text = drawLetters();
  let connected: Promise<readonly [WebSocket, { readonly socket: Socket }]> | undefined;
  takeMessages(async (asked: Asked) => {
    if (asked.kind === "listen") {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
      connected = once(server, "connection") as Promise<never>;
      await once(server, "listening");
      return { port: (server.address() as AddressInfo).port };
    }
    if (asked.kind !== "send" || connected === undefined) return undefined;
    const [webSocket, { socket }] = await connected;
    const { seed, objects, arrayLength } = asked;
    const startedAt = wallClockMs();
    let state = stateOf(seed, 0);
    for (let left = objects; left > 0; left -= arrayLength) {
      const measures: Measure[] = [];
      state = drawMeasures(text, state, Math.min(left, arrayLength), measures);
      webSocket.send(serialize(measures));
      // oxlint-disable-next-line no-await-in-loop -- as much as the other end takes
      if (webSocket.bufferedAmount > bytesAhead) await once(socket, "drain");
    }
    webSocket.send(Buffer.alloc(0));
    return { startedAt };
  });
}

function receive(): void {
  let digest = new MeasureDigest();
  takeMessages(async (asked: Asked) => {
    if (asked.kind !== "connect") return undefined;
    const webSocket = new WebSocket(`ws://127.0.0.1:${asked.port}`, { perMessageDeflate: false });
    webSocket.on("message", (bytes: Buffer) => {
      if (bytes.byteLength > 0) {
        digest.add(deserialize(bytes) as readonly Measure[]);
        return;
      }
      process.send?.({ result: digest.result(), endedAt: wallClockMs() });
      digest = new MeasureDigest();
    });
    await once(webSocket, "open");
    return { connected: true };
  });
}
