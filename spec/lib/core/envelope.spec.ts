import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { LinkMessage } from "../../../lib/core/contracts/transport.ts";
import { decodeFrame, encodeEndMark, encodeFrame, FrameReader } from "../../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { seededRandom, type Random } from "../../../lib/core/seam/random.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("envelope");
const address = { execution: "run-1", edge: 1, from: 2, to: 3, producer: 4, consumer: 5 };

const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const index = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const anyAddress = {
  execution: fc.string({ unit: "grapheme", maxLength: 40 }),
  edge: index,
  from: index,
  to: index,
  producer: index,
  consumer: index,
};
const payload = fc.record({
  format: fc.constantFrom("columns", "clone", "batch"),
  rows: whole,
  bytes: fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.slice().buffer),
});
const anyMessage: fc.Arbitrary<LinkMessage> = fc.oneof(
  fc
    .record({ ...anyAddress, kind: fc.constant("parcel" as const), seq: whole, previous: whole, payload })
    .map((message) => ({ ...message, previous: Math.min(message.previous, message.seq) - 1 })),
  fc.record({ ...anyAddress, kind: fc.constant("end" as const), previous: whole.map((previous) => previous - 1) }),
  fc.record({ ...anyAddress, kind: fc.constant("credit" as const), objects: whole, bytes: whole }),
  fc.record({ ...anyAddress, kind: fc.constant("cancel" as const) }),
  fc
    .record({ ...anyAddress, kind: fc.constant("open" as const), after: whole, objects: whole, bytes: whole })
    .map((message) => ({ ...message, after: message.after - 1 })),
) as fc.Arbitrary<LinkMessage>;

function bytesOfFrame(message: LinkMessage): Buffer {
  const { head, payload: content } = encodeFrame(message);
  return Buffer.concat(content === undefined ? [head] : [head, content]);
}

function parcel(bytes: number): LinkMessage {
  const content = new Uint8Array(bytes).fill(7).buffer;
  return { ...address, kind: "parcel", seq: 5, previous: 4, payload: { format: "clone", rows: 9, bytes: content } };
}

test("any messages come back equal from a stream that is cut anywhere", () => {
  const property = fc.property(fc.array(anyMessage, { maxLength: 8 }), fc.array(fc.nat(400)), (messages, cuts) => {
    const stream = Buffer.concat([...messages.map(bytesOfFrame), encodeEndMark()]);
    const reader = new FrameReader();
    const read: LinkMessage[] = [];
    let at = 0;
    for (const cut of [...cuts, stream.byteLength]) {
      read.push(...reader.push(stream.subarray(at, at + cut)));
      at = Math.min(at + cut, stream.byteLength);
    }
    assert.ok(reader.ended);
    reader.finish();
    assert.equal(read.map(comparable), messages.map(comparable));
  });
  fc.assert(property, { numRuns: 300 });
});

/** As a plain object, and with the payload's content as text: uvu compares prototypes, but no array buffers. */
function comparable(message: LinkMessage): unknown {
  if (message.kind !== "parcel") return { ...message };
  return { ...message, payload: { ...message.payload, bytes: Buffer.from(message.payload.bytes).toString("hex") } };
}

test("byte by byte, a message is complete with its last byte and not before", () => {
  const stream = bytesOfFrame(parcel(10));
  const reader = new FrameReader();
  for (const [at, byte] of stream.entries()) {
    assert.is(reader.push(Uint8Array.of(byte)).length, at === stream.byteLength - 1 ? 1 : 0);
  }
});

test("the payload isn't copied when it's encoded, and has a buffer of its own when it's read", () => {
  const message = parcel(100);
  const frame = encodeFrame(message);
  assert.ok(message.kind === "parcel" && frame.payload?.buffer === message.payload.bytes);
  const [read] = new FrameReader().push(bytesOfFrame(message));
  assert.ok(read?.kind === "parcel" && read.payload.bytes.byteLength === 100);
});

test("a frame that is larger than allowed is refused at both ends", () => {
  assertCode("LIMIT_EXCEEDED", () => encodeFrame(parcel(2000), { bytesMax: 1000 }));
  assertCode("LIMIT_EXCEEDED", () => encodeFrame({ ...address, execution: "x".repeat(5000), kind: "cancel" }));
  const stream = bytesOfFrame(parcel(2000));
  assertCode("FRAME_INVALID", () => new FrameReader({ bytesMax: 1000 }).push(stream));
  assert.is(new FrameReader({ bytesMax: 3000 }).push(stream).length, 1);
});

test("a stream without an end mark was cut, and nothing may follow the mark", () => {
  const reader = new FrameReader();
  reader.push(bytesOfFrame(parcel(10)));
  assertCode("FRAME_INVALID", () => reader.finish());
  reader.push(encodeEndMark());
  reader.finish();
  assertCode("FRAME_INVALID", () => reader.push(Uint8Array.of(1)));
});

test("a packed payload says what it unpacks to, which is bounded; from this machine it isn't taken", () => {
  const packed = (unpackedBytes: number): LinkMessage => {
    const message = parcel(1000);
    return message.kind === "parcel" ? { ...message, payload: { ...message.payload, unpackedBytes } } : message;
  };
  const read = (unpackedBytes: number): LinkMessage => {
    const { head, payload: content } = encodeFrame(packed(unpackedBytes));
    return decodeFrame(head, content);
  };
  assert.equal(read(1001), packed(1001));
  assert.equal(read(255_000), packed(255_000));
  for (const wrong of [1, 1000, 255_001, 2 ** 40, 1500.5, -2000, Number.NaN]) {
    assert.throws(
      () => read(wrong),
      (error: unknown) => error instanceof QStreamError && error.code === "FRAME_INVALID",
    );
  }
  const { head, payload: content = new Uint8Array(0) } = encodeFrame(packed(255 * 2 ** 20), {
    payload: new Uint8Array(2 ** 21),
  });
  assert.equal(bytesOfFrame(packed(0)), bytesOfFrame(parcel(1000)), "one that isn't packed is as ever");
  assert.is((decodeFrame(head, content) as { kind: string }).kind, "parcel");
  const beyond = encodeFrame(packed(256 * 2 ** 20 + 1), { payload: new Uint8Array(2 ** 21) });
  assert.throws(() => decodeFrame(beyond.head, beyond.payload), /unpacks to 268435457 bytes, more than 268435456/);
  assert.throws(() => new FrameReader().push(bytesOfFrame(packed(2000))), /it is packed, and comes from this machine/);
});

test("a reader that failed refuses everything after", () => {
  const reader = new FrameReader();
  assertCode("FRAME_INVALID", () => reader.push(new Uint8Array(40)));
  assertCode("FRAME_INVALID", () => reader.push(bytesOfFrame(parcel(10))));
});

test("each flipped bit of a frame is found", () => {
  const stream = bytesOfFrame(parcel(24));
  for (let bit = 0; bit < stream.byteLength * 8; bit++) {
    const flipped = Buffer.from(stream);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    const reader = new FrameReader({ bytesMax: 1 << 20 });
    try {
      // A length that grew leaves the frame incomplete: the bytes that follow are taken for its rest.
      assert.equal([...reader.push(flipped), ...reader.push(new Uint8Array(1 << 20))], []);
      assert.unreachable();
    } catch (error) {
      assert.is((error as QStreamError).code, "FRAME_INVALID");
    }
  }
});

test("20,000 mutated frames, half of them with right checksums, give messages or FRAME_INVALID and stay within the limit", () => {
  const random = seededRandom(20_000);
  const seeds = [
    parcel(0),
    parcel(64),
    { ...address, kind: "end", previous: 3 },
    { ...address, kind: "cancel" },
  ] as const;
  const frames = [...seeds, { ...address, kind: "credit", objects: 4, bytes: 5 } as const].map(bytesOfFrame);
  const bytesMax = 1 << 16;
  let refused = 0;
  let read = 0;
  const largest = largestAllocation(() => {
    for (let run = 0; run < 20_000; run++) {
      const frame = mutate(frames[run % frames.length] as Buffer, random);
      if (run % 2 === 0) reseal(frame);
      try {
        read += new FrameReader({ bytesMax }).push(frame).length;
      } catch (error) {
        assert.instance(error, QStreamError);
        assert.is((error as QStreamError).code, "FRAME_INVALID");
        refused++;
      }
    }
  });
  assert.ok(refused > 10_000, `${refused} refused`);
  assert.ok(read > 500, `${read} read`);
  assert.ok(largest <= bytesMax, `${largest} bytes allocated at once`);
});

/** Changes some bytes, cuts, grows, or puts numbers that hurt where offsets and lengths are. */
function mutate(frame: Buffer, random: Random): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let bytes = Buffer.from(frame);
  const changes = 1 + below(3);
  for (let change = 0; change < changes; change++) {
    const at = random() < 0.8 ? below(bytes.byteLength) : below(20);
    const kind = below(6);
    if (kind <= 2) bytes[at] = below(256);
    else if (kind === 3 && at + 4 <= bytes.byteLength) bytes.writeUInt32LE(nasty[below(nasty.length)] as number, at);
    else if (kind === 4 && random() < 0.2) bytes = bytes.subarray(0, Math.max(20, at));
    else if (random() < 0.2) bytes = Buffer.concat([bytes, Buffer.alloc(below(50), below(256))]);
  }
  return bytes;
}

const nasty = [0, 1, 3, 4, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff];

/** Makes the checksums of a frame right again, so that what is behind them is reached. */
function reseal(frame: Buffer): void {
  frame.writeUInt32LE(0x46545351, 0);
  frame.writeUInt16LE(1, 4);
  const headEnd = 20 + frame.readUInt16LE(6);
  const content = frame.subarray(headEnd, headEnd + frame.readUInt32LE(8));
  frame.writeUInt32LE(crc32(content), 12);
  frame.writeUInt32LE(crc32(frame.subarray(20, headEnd), crc32(frame.subarray(0, 16))), 16);
}

/** Runs an action, and returns the largest number of bytes for which it made an array buffer. */
function largestAllocation(action: () => void): number {
  const OriginalBuffer = globalThis.ArrayBuffer;
  let largest = 0;
  globalThis.ArrayBuffer = new Proxy(OriginalBuffer, {
    construct(target, args: [number]) {
      largest = Math.max(largest, args[0]);
      return new target(...args);
    },
  });
  try {
    action();
  } finally {
    globalThis.ArrayBuffer = OriginalBuffer;
  }
  return largest;
}

function assertCode(code: string, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    assert.instance(error, QStreamError);
    assert.is((error as QStreamError).code, code);
    return;
  }
  assert.unreachable(`${code} was to be thrown`);
}

test.run();
