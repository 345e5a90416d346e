import { EventEmitter, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import * as assert from "uvu/assert";
import { WebSocket, WebSocketServer } from "ws";
import { BulkReader } from "../../../../actors/transport/wire/bulk-reader.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { bytesOf } from "../../../contract/transport.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("bulk reader");
const limits = { bytesMax: 2 ** 20, fragmentsMax: 16 };

/** A reader that is given bytes by hand: what it emits, and what it leaves to ws. */
function readerByHand(): {
  readonly take: (bytes: Uint8Array) => void;
  readonly messages: string[][];
  readonly others: string[];
  readonly errors: (string | undefined)[];
} {
  const messages: string[][] = [];
  const others: string[] = [];
  const errors: (string | undefined)[] = [];
  const reader = new BulkReader(limits);
  const stream = new EventEmitter();
  stream.on("data", (bytes: Buffer) => others.push(bytes.toString("hex")));
  const socket = Object.assign(new EventEmitter(), { terminate: () => {} });
  socket.on("message", (fragments: readonly Buffer[]) =>
    messages.push(fragments.map((bytes) => bytes.toString("hex"))),
  );
  socket.on("error", ({ code }: { readonly code?: string }) => errors.push(code));
  reader.attach(socket as unknown as WebSocket, stream as unknown as Socket);
  return { take: (bytes) => reader.take(bytes), messages, others, errors };
}

/** A frame as a server sends it. */
function frameOf(first: number, payload: Uint8Array): Buffer {
  const { byteLength } = payload;
  const head = Buffer.alloc(byteLength > 65_535 ? 10 : byteLength > 125 ? 4 : 2);
  head[0] = first;
  head[1] = byteLength > 65_535 ? 127 : byteLength > 125 ? 126 : byteLength;
  if (head.byteLength === 4) head.writeUInt16BE(byteLength, 2);
  else if (head.byteLength === 10) head.writeUInt32BE(byteLength, 6);
  return Buffer.concat([head, payload]);
}

const last = 0x80;
const binary = 2;
const ping = last | 9;

test("however the bytes are cut, messages come whole and in their fragments, and the rest is left to ws", () => {
  const random = seededRandom(5);
  const sizes = [0, 1, 125, 126, 300, 65_535, 65_536, 32_768, 32_769, 200_000, 3, 700_000];
  const frames: Buffer[] = [];
  const expected: string[][] = [];
  const pings: string[] = [];
  for (const [index, size] of [...sizes, ...sizes.toReversed()].entries()) {
    const head = Buffer.from(bytesOf(index, 50 + index));
    const payload = Buffer.from(bytesOf(size, size));
    const between = frameOf(ping, Buffer.from([index]));
    frames.push(frameOf(binary, head), between, frameOf(last, payload), frameOf(last | binary, payload));
    pings.push(between.toString("hex"));
    const text = payload.toString("hex");
    expected.push(size === 0 ? [head.toString("hex")] : [head.toString("hex"), text], size === 0 ? [] : [text]);
  }
  const bytes = Buffer.concat(frames);
  for (const largest of [1, 7, 70_000, bytes.byteLength]) {
    const { take, messages, others, errors } = readerByHand();
    for (let at = 0; at < bytes.byteLength;) {
      // Single bytes for heads and ends would take too long in the midst of payloads.
      const count = largest === 1 && random() < 0.01 ? 5000 : 1 + Math.floor(random() * largest);
      take(bytes.subarray(at, at + count));
      at += count;
    }
    assert.equal(messages, expected);
    assert.equal([others, errors], [pings, []]);
  }
});

test("frames that aren't right end the connection, and nothing that follows is read", () => {
  const small = Buffer.from([1, 2, 3]);
  const tooLarge = Buffer.from([last | binary, 127, 0, 0, 0, 0, 0, 0x20, 0, 0]);
  const wrong: readonly (readonly [Uint8Array, string])[] = [
    [frameOf(last | 1, small), "WS_ERR_INVALID_OPCODE"],
    [frameOf(last, small), "WS_ERR_INVALID_OPCODE"],
    [Buffer.concat([frameOf(binary, small), frameOf(binary, small)]), "WS_ERR_INVALID_OPCODE"],
    [frameOf(last | 0x40 | binary, small), "WS_ERR_UNEXPECTED_RSV_1"],
    [Buffer.from([last | binary, 0x83, 0, 0, 0, 0, 1, 2, 3]), "WS_ERR_UNEXPECTED_MASK"],
    [tooLarge, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"],
    [Buffer.from([last | binary, 127, 255, 255, 255, 255, 255, 255, 255, 255]), "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"],
    [Buffer.from([ping, 126, 1, 0]), "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"],
    [
      Buffer.concat([frameOf(binary, small), ...Array.from({ length: 16 }, () => frameOf(0, small))]),
      "WS_ERR_TOO_MANY_BUFFERED_PARTS",
    ],
  ];
  for (const [bytes, code] of wrong) {
    const { take, messages, errors } = readerByHand();
    take(Buffer.concat([bytes, frameOf(last | binary, small)]));
    assert.equal([messages, errors], [[], [code]]);
  }
});

test("on a socket: what comes with the handshake's answer isn't lost, payloads of a megabyte aren't copied, and closing is noticed", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  const payloads = Array.from({ length: 5 }, (_, seq) => Buffer.from(bytesOf(seq, 1_000_000)));
  server.on("connection", (socket) => {
    for (const payload of payloads) {
      socket.send(Buffer.from("head"), { binary: true, fin: false });
      socket.send(payload, { binary: true, fin: true });
    }
    socket.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const reader = new BulkReader(limits);
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
    createConnection: (() => reader.connect({ port, host: "127.0.0.1" })) as never,
  });
  const came: Uint8Array[] = [];
  let stream: Socket | undefined;
  socket.on("upgrade", (response) => (stream = response.socket));
  socket.on("message", (data) => came.push((data as Buffer[])[1] ?? new Uint8Array(0)));
  socket.once("open", () => {
    socket.pause();
    reader.attach(socket, stream as Socket);
    socket.resume();
  });
  await once(socket, "close");
  assert.equal(
    came.map((bytes, seq) => Buffer.compare(bytes, payloads[seq] ?? Buffer.alloc(0))),
    [0, 0, 0, 0, 0],
  );
  // Each has memory of its own, into which the system has read.
  assert.ok(came.every(({ buffer, byteLength }) => buffer.byteLength === byteLength));
  server.close();
});

test.run();
