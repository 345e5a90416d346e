// The two processes of the exchange by TCP. The receiver reads into the memory that it then looks at, so that nothing is copied
// beyond the kernel.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { addMegabyte, drawMegabyte, megabyteBytes, noMegabytes, type MegabyteSums } from "../data/megabytes.ts";
import { wallClockMs } from "../harness/reported.ts";
import { takeMessages } from "./peer-process.ts";

type Asked =
  | { readonly kind: "listen" }
  | { readonly kind: "draw"; readonly seed: number; readonly megabytes: number }
  | { readonly kind: "send" }
  | { readonly kind: "receive"; readonly port: number; readonly megabytes: number };

if (process.argv[2] === "sender") send();
else receive();

function send(): void {
  let drawn: Uint8Array[] = [];
  let connected: Promise<Socket> | undefined;
  takeMessages(async (asked: Asked) => {
    if (asked.kind === "listen") {
      const server = createServer().listen(0, "127.0.0.1");
      connected = once(server, "connection").then(([socket]) => (socket as Socket).setNoDelay(true));
      await once(server, "listening");
      return { port: (server.address() as AddressInfo).port };
    }
    if (asked.kind === "draw") {
      drawn = Array.from({ length: asked.megabytes }, (_, index) => drawMegabyte(asked.seed, index));
      return { drawn: drawn.length };
    }
    const socket = await connected;
    if (socket === undefined) throw new Error("nobody has asked for a port");
    const startedAt = wallClockMs();
    for (const bytes of drawn) {
      // oxlint-disable-next-line no-await-in-loop -- as much as the other end takes
      if (!socket.write(bytes)) await once(socket, "drain");
    }
    drawn = [];
    return { startedAt };
  });
}

function receive(): void {
  let opened: Socket | undefined;
  let left = 0;
  let sums: MegabyteSums = noMegabytes;
  let filled = 0;
  const megabyte = new Uint8Array(megabyteBytes);
  const take = (bytes: number): boolean => {
    filled += bytes;
    if (filled < megabyteBytes) return true;
    filled = 0;
    sums = addMegabyte(sums, megabyte);
    if (--left === 0) process.send?.({ result: sums, endedAt: wallClockMs() });
    return true;
  };
  takeMessages(async (asked: Extract<Asked, { kind: "receive" }>) => {
    left = asked.megabytes;
    sums = noMegabytes;
    if (opened === undefined) {
      const buffer = (): Uint8Array => megabyte.subarray(filled);
      opened = connect({ port: asked.port, host: "127.0.0.1", onread: { buffer, callback: take } });
      await once(opened, "connect");
    }
    return { ready: true };
  });
}
