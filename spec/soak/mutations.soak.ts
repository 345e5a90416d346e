// specs: timeout 900 s
// A million damaged frames and payloads: each is refused with FRAME_INVALID, or decodes to as many objects as it says. And two million
// messages and words of machines, drivers, heads, workers and clients whose checksums are right: refused or taken, never thrown.
//
// Others than those of every run: QSTREAM_SOAK_SEED=123 node --enable-source-maps dist/spec/soak/mutations.soak.js

import { crc32 } from "node:zlib";
import * as assert from "uvu/assert";
import { type BatchSupport, loadBatches } from "../../lib/core/batch/index.ts";
import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { encodeEndMark, encodeFrame, FrameReader } from "../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { seededRandom, type Random } from "../../lib/core/seam/random.ts";
import { readSealedNonsense } from "../actors/transport/wire/nonsense.ts";
import { fuzzDrivers, fuzzHeads, fuzzMachines, fuzzWorkers } from "../cluster/fuzzed-words.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("mutated frames and payloads");
const seed = Number(process.env["QSTREAM_SOAK_SEED"] ?? 1);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Numbers that hurt where lengths, counts and offsets are. */
const nasty = [0, 1, 3, 4, 7, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffffc, 0xffffffff];

/** Changes some bytes, mostly at the beginning, where lengths are; at times cuts or grows. */
function mutate(sound: Uint8Array, random: Random): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let bytes = Buffer.from(sound);
  const changes = 1 + below(4);
  for (let change = 0; change < changes && bytes.length > 0; change++) {
    const at = below(random() < 0.5 ? Math.min(bytes.length, 128) : bytes.length);
    const kind = below(8);
    if (kind <= 1) bytes[at] = below(256);
    else if (kind <= 3) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    else if (kind <= 5 && at + 4 <= bytes.length) bytes.writeUInt32LE(nasty[below(nasty.length)] ?? 0, at & ~3);
    else if (kind === 6 && random() < 0.2) bytes = bytes.subarray(0, at);
    else if (random() < 0.2) bytes = Buffer.concat([bytes, Buffer.alloc(1 + below(64), below(256))]);
  }
  return bytes;
}

/** Runs a decoder on damaged bytes: whatever it throws has to be FRAME_INVALID. Returns true if it threw. */
function isRefused(run: number, what: string, decode: () => void): boolean {
  try {
    decode();
    return false;
  } catch (error) {
    if (error instanceof QStreamError && error.code === "FRAME_INVALID") return true;
    throw new Error(`mutation ${run} of ${what} with seed ${seed} gave ${String(error)}`, { cause: error });
  }
}

const address = { execution: "run-0123456789ab", edge: 3, from: 1, to: 2, producer: 4, consumer: 5 };

function frames(): Buffer[] {
  const payload = encodeObjects(upTo(5).map((n) => ({ n, text: `text ${n}` })));
  const messages: LinkMessage[] = [
    { ...address, kind: "parcel", seq: 7, previous: 3, payload },
    {
      ...address,
      kind: "parcel",
      seq: 0,
      previous: -1,
      payload: { format: "clone", rows: 0, bytes: new ArrayBuffer(0) },
    },
    { ...address, kind: "end", previous: 9 },
    { ...address, kind: "credit", objects: 100, bytes: 2000 },
    { ...address, kind: "cancel" },
    { ...address, kind: "open", after: 12, objects: 100, bytes: 2000 },
  ];
  return messages.map((message) => {
    const frame = encodeFrame(message);
    return Buffer.concat([frame.head, frame.payload ?? new Uint8Array(0)]);
  });
}

/** Makes the checksums right again where that can be done, so that what is behind them is reached. */
function reseal(frame: Buffer): void {
  if (frame.length < 20) return;
  frame.writeUInt32LE(0x46545351, 0);
  frame.writeUInt16LE(1, 4);
  const headEnd = 20 + frame.readUInt16LE(6);
  frame.writeUInt32LE(crc32(frame.subarray(headEnd, headEnd + frame.readUInt32LE(8))), 12);
  frame.writeUInt32LE(crc32(frame.subarray(20, headEnd), crc32(frame.subarray(0, 16))), 16);
}

test("400,000 mutated frames, pushed in pieces, give messages or FRAME_INVALID, and nothing after that", () => {
  const random = seededRandom(seed);
  const sound = frames();
  const bytesMax = 1 << 16;
  let [refused, read] = [0, 0];
  for (let run = 0; run < 400_000; run++) {
    const frame = mutate(sound[run % sound.length] ?? Buffer.alloc(0), random);
    if (run % 3 !== 0) reseal(frame);
    const reader = new FrameReader({ bytesMax });
    const cut = Math.floor(random() * frame.length);
    const threw = isRefused(run, "a frame", () => {
      read += reader.push(frame.subarray(0, cut)).length + reader.push(frame.subarray(cut)).length;
    });
    if (!threw) continue;
    refused++;
    assert.ok(
      isRefused(run, "a frame", () => reader.push(encodeEndMark())),
      "a broken reader stays broken",
    );
  }
  assert.ok(refused > 150_000 && read > 5000, `${refused} refused, ${read} read`);
}, 120_000);

test("400,000 mutated payloads of objects are refused or decode to as many objects", () => {
  const random = seededRandom(seed + 1);
  const payloads = objectPayloads();
  let refused = 0;
  for (let run = 0; run < 400_000; run++) {
    const payload = payloads[run % payloads.length] as Payload;
    const bytes = ownBuffer(mutate(new Uint8Array(payload.bytes), random));
    const threw = isRefused(run, `objects (${payload.format})`, () => {
      const objects = decodeObjects({ ...payload, bytes });
      assert.is(objects.length, payload.rows);
    });
    if (threw) refused++;
  }
  assert.ok(refused > 40_000, `${refused} refused`);
}, 200_000);

function objectPayloads(): Payload[] {
  const rows = upTo(20);
  return [
    encodeObjects(rows),
    encodeObjects(rows.map((n) => `text ${n} é`)),
    encodeObjects(rows.map((n) => ({ n, half: n / 2, text: n % 3 === 0 ? null : `text ${n}`, yes: n % 2 === 0 }))),
    encodeObjects(
      rows.map((n) => ({ big: BigInt(n) ** 9n, at: new Date(n), bytes: new Uint8Array(n), list: [n, `${n}`] })),
    ),
    encodeObjects(rows.map((n) => (n % 2 === 0 ? { n } : [n, new Map([[n, n]])]))),
    encodeObjects([]),
  ];
}

test("200,000 mutated payloads of columnar batches are refused or decode to as many rows", async () => {
  const batches = await loadBatches();
  const random = seededRandom(seed + 2);
  const payloads = batchPayloads(batches);
  let refused = 0;
  for (let run = 0; run < 200_000; run++) {
    const payload = payloads[run % payloads.length] as Payload;
    const bytes = ownBuffer(mutate(new Uint8Array(payload.bytes), random));
    const threw = isRefused(run, "a batch", () => {
      const batch = batches.decode({ ...payload, bytes });
      assert.ok(batches.rows(batch) <= 1 << 20);
    });
    if (threw) refused++;
  }
  assert.ok(refused > 20_000, `${refused} refused`);
}, 200_000);

function batchPayloads(batches: BatchSupport): Payload[] {
  const rows = upTo(12).map((n) => ({
    n,
    text: n % 4 === 0 ? null : `text ${n} é`,
    big: BigInt(n),
    at: new Date(n * 1000),
    yes: n % 2 === 0,
    list: upTo(n % 3),
  }));
  const table = batches.fromObjects(rows, "arrow");
  const channels = Uint16Array.from(rows, (_, row) => row % 2);
  const flat = batches.fromObjects(
    rows.map(({ n, text, big }) => ({ n, text, big })),
    "polars",
  );
  return [
    batches.encode(table),
    batches.encode(batches.slice(table, 3, 9)),
    batches.encode(flat),
    ...batches.encodeGathered(table, channels, 2),
    ...batches.encodeGathered(flat, channels, 2),
  ].flatMap((payload) => (payload === undefined ? [] : [payload]));
}

test("a million mutated messages between machines, sealed anew, are refused or read", () => {
  const read = readSealedNonsense(1_000_000, seed + 3);
  assert.ok(read > 50_000 && read < 950_000, `${read} read`);
}, 120_000);

if (!inSlot) {
  const fuzzers = { machines: fuzzMachines, drivers: fuzzDrivers, heads: fuzzHeads, workers: fuzzWorkers };
  for (const [who, fuzz] of Object.entries(fuzzers)) {
    test(`${who} refuse or take each of 250,000 mutated words, and throw at none`, async () => {
      const { taken, refused } = await fuzz(250_000, seed + 4);
      assert.is(taken + refused, 250_000);
      assert.ok(refused > 100_000 && taken > 5000, `${taken} taken, ${refused} refused`);
    }, 180_000);
  }
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

test.run();
