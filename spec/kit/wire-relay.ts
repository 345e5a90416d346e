// A relay between two hosts: `node wire-relay.js LISTEN TARGET DELAY_MS`, each of the first two host:port. Bytes come out after a
// time, in their order, in both directions; not every kernel can delay packets itself.

import { createConnection, createServer, type Socket } from "node:net";

const [listen = "", target = "", delay = "0"] = process.argv.slice(2);
const delayMs = Number(delay);

function carry(from: Socket, to: Socket): void {
  let onTheirWay = 0;
  const holdMax = 4 << 20;
  from.on("data", (bytes: Buffer) => {
    onTheirWay += bytes.byteLength;
    if (onTheirWay > holdMax) from.pause();
    setTimeout(() => {
      onTheirWay -= bytes.byteLength;
      if (to.destroyed) return;
      if (to.write(bytes) && onTheirWay <= holdMax) from.resume();
      else from.pause();
    }, delayMs);
  });
  to.on("drain", () => from.resume());
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), delayMs + 1));
}

function place(text: string): { readonly host: string; readonly port: number } {
  const [host = "", port = ""] = text.split(":");
  return { host, port: Number(port) };
}

const server = createServer((near) => {
  const far = createConnection({ ...place(target), noDelay: true });
  near.setNoDelay(true);
  carry(near, far);
  carry(far, near);
});
server.listen(place(listen), () => process.stdout.write(`relay at ${listen}\n`));
