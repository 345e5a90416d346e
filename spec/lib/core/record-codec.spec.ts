import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Cause, TaskRecord } from "../../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { decodeRecord, encodeRecord } from "../../../lib/core/lineage/record-codec.ts";
import { checksumBytes, sealed } from "../../../lib/core/lineage/record-template.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("records of tasks");

/** Objects as those that a record holds: fast-check's own have no prototype now and then. */
const plain = <T>(shape: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> =>
  fc.record<T>(shape, { noNullPrototype: true });
const number32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const whole = fc.oneof(fc.nat(), fc.maxSafeNat());
const input = fc.oneof(fc.constantFrom("in", "left", "right"), fc.string({ unit: "grapheme", maxLength: 40 }));
const cause: fc.Arbitrary<Cause> = fc.oneof(
  plain({ kind: fc.constant("read" as const), split: number32, position: whole, count: number32 }),
  plain({ kind: fc.constantFrom("parcels" as const, "input-end" as const), input }),
  plain({ kind: fc.constant("round" as const), number: fc.nat() }),
  plain({ kind: fc.constant("mark" as const), number: fc.nat(), flags: fc.nat({ max: 15 }) }),
  plain({ kind: fc.constant("skip" as const), input, error: fc.string({ unit: "grapheme", maxLength: 200 }) }),
  plain({ kind: fc.constant("timer" as const), name: fc.string({ unit: "grapheme", maxLength: 256 }) }),
  plain({ kind: fc.constantFrom("continue" as const, "done" as const, "stop" as const) }),
);
const record: fc.Arbitrary<TaskRecord> = plain({
  seq: whole,
  cause,
  consumed: fc.array(plain({ edge: number32, from: number32, firstSeq: whole, lastSeq: whole }), { maxLength: 20 }),
  produced: fc.array(plain({ edge: number32, to: number32, objects: number32, checksum: number32 }), {
    maxLength: 20,
  }),
  taken: number32,
  more: fc.boolean(),
  content: fc.option(fc.uint8Array({ maxLength: 1000 }), { nil: undefined }),
  now: fc.option(
    fc.oneof(
      whole,
      fc.double({ min: 0, max: 1e13, noNaN: true }).map((now) => now + 0),
    ),
    { nil: undefined },
  ),
});

const usual: TaskRecord = {
  seq: 1_234_567,
  cause: { kind: "parcels", input: "left" },
  consumed: [{ edge: 3, from: 1, firstSeq: 44_000, lastSeq: 44_007 }],
  produced: [
    { edge: 4, to: 0, objects: 1000, checksum: 0xdeadbeef },
    { edge: 4, to: 1, objects: 990, checksum: 0xcafebabe },
  ],
  taken: 1990,
  more: false,
  content: undefined,
  now: undefined,
};

test("whatever a record says is read as it was written", () => {
  fc.assert(
    fc.property(record, (written) => assert.equal(decodeRecord(encodeRecord(written)), written)),
    {
      numRuns: 500,
    },
  );
});

test("a record of a usual task has at most 150 bytes, and of the smallest at most 64", () => {
  const parcels = encodeRecord(usual).byteLength;
  const read = encodeRecord({
    ...usual,
    cause: { kind: "read", split: 7, position: 1_000_000, count: 1024 },
    consumed: [],
    produced: [{ edge: 0, to: 0, objects: 1024, checksum: 0 }],
  }).byteLength;
  const timer = encodeRecord({
    ...usual,
    cause: { kind: "timer", name: "flush" },
    consumed: [],
    now: 1_790_000_000_000,
  }).byteLength;
  const smallest = encodeRecord({ ...usual, cause: { kind: "done" }, consumed: [], produced: [] }).byteLength;
  console.log(`bytes: parcels ${parcels}, read ${read}, timer ${timer}, done ${smallest}`);
  assert.ok(parcels <= 150 && read <= 150 && timer <= 150 && smallest <= 64, `${parcels} ${read} ${timer} ${smallest}`);
});

test("a record isn't written over by the next, also after a large one", () => {
  const content = new Uint8Array(3_000_000).fill(7);
  const first = encodeRecord(usual);
  const large = encodeRecord({ ...usual, content });
  const third = encodeRecord({ ...usual, seq: 3 });
  assert.equal(decodeRecord(first), usual);
  assert.is(decodeRecord(large).content?.byteLength, 3_000_000);
  assert.is(decodeRecord(third).seq, 3);
  assert.ok(first.buffer.byteLength < 1000);
});

test("it is read from the middle of other bytes, and keeps none of them", () => {
  fc.assert(
    fc.property(record, fc.nat(9), (written, offset) => {
      const bytes = encodeRecord(written);
      const around = new Uint8Array(bytes.byteLength + 20).fill(255);
      around.set(bytes, offset);
      const read = decodeRecord(around.subarray(offset, offset + bytes.byteLength));
      around.fill(0);
      assert.equal(read, written);
    }),
  );
});

/** Reads bytes that may be anything: a record that isn't larger than they are, or FRAME_INVALID. */
function readAnything(bytes: Uint8Array): void {
  try {
    const read = decodeRecord(bytes);
    assert.ok((read.content?.byteLength ?? 0) <= bytes.byteLength);
    assert.ok(read.consumed.length * 24 <= bytes.byteLength && read.produced.length * 16 <= bytes.byteLength);
  } catch (error) {
    if (!(error instanceof QStreamError) || error.code !== "FRAME_INVALID") throw error;
  }
}

test("a record of which a bit was changed is refused", () => {
  fc.assert(
    fc.property(record, fc.nat(), fc.nat(7), (written, at, bit) => {
      const bytes = encodeRecord(written);
      const place = at % bytes.byteLength;
      bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
      assert.throws(() => decodeRecord(bytes), /checksum/);
    }),
    { numRuns: 500 },
  );
});

test("bytes that are no record are refused, and never read beyond their end, also where the checksum is right", () => {
  const anything = fc.uint8Array({ maxLength: 300 });
  fc.assert(fc.property(anything, readAnything), { numRuns: 500 });
  fc.assert(
    fc.property(anything, (bytes) => readAnything(sealed(bytes))),
    { numRuns: 2000 },
  );
  const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(record, changes, (written, changed) => {
      const bytes = encodeRecord(written).slice(0, -checksumBytes);
      for (const [at, value] of changed) bytes[at % bytes.byteLength] = value;
      readAnything(sealed(bytes));
    }),
    { numRuns: 3000 },
  );
});

test("every record that is cut is refused", () => {
  const bytes = encodeRecord({ ...usual, content: new Uint8Array(30), now: 1_790_000_000_000 });
  let refused = 0;
  for (let length = 0; length < bytes.byteLength; length++) {
    try {
      decodeRecord(bytes.subarray(0, length));
    } catch (error) {
      assert.is((error as QStreamError).code, "FRAME_INVALID");
      refused += 1;
    }
  }
  assert.is(refused, bytes.byteLength);
});

test.run();
