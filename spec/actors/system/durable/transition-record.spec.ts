import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { ByteReader } from "../../../../actors/system/durable/byte-reader.ts";
import { ByteWriter } from "../../../../actors/system/durable/byte-writer.ts";
import { readRecord, RecordWriter, type Input } from "../../../../actors/system/durable/transition-record.ts";
import { readValue, writeValue } from "../../../../actors/system/durable/value-bytes.ts";
import { suite } from "../../../kit/suite.ts";
import { codeOf } from "./kept-system.ts";

const test = suite("records of transitions");

function copyOf(value: unknown): unknown {
  const writer = new ByteWriter();
  writer.begin();
  writeValue(writer, value);
  const reader = new ByteReader(writer.cut());
  const copy = readValue(reader);
  assert.ok(reader.isAtEnd);
  return copy;
}

test("values of all kinds come back as they were", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: false,
    stringUnit: "binary",
  });
  fc.assert(
    fc.property(anything, (value) => {
      // Two dates that are none aren't equal to Node, though one is the copy of the other.
      fc.pre(isDeepStrictEqual(structuredClone(value), value));
      assert.ok(isDeepStrictEqual(copyOf(value), value));
    }),
    { numRuns: 500 },
  );
  for (const value of [
    -0,
    Number.NaN,
    Infinity,
    2 ** 53,
    -(2 ** 53 - 1),
    2 ** 31,
    127,
    128,
    "\ud800",
    "é",
    "x".repeat(100),
  ]) {
    assert.ok(Object.is(copyOf(value), value), String(value));
  }
});

test("an object that is met twice stays one", () => {
  const shared = { a: 1 };
  const copy = copyOf({ x: shared, y: [shared] }) as { readonly x: object; readonly y: readonly object[] };
  assert.is(copy.x, copy.y[0]);
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  const round = copyOf(circle) as Record<string, unknown>;
  assert.is(round["self"], round);
});

test("a plain message takes few bytes", () => {
  const writer = new RecordWriter();
  writer.begin({ kind: "message", name: "add", payload: { amount: 5 }, sender: undefined }, 1);
  assert.ok(writer.end({ now: undefined, sent: 0, hasFailed: false }).byteLength < 25);
});

const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ kind: fc.constant("born" as const), args: fc.jsonValue(), seed: fc.double({ noNaN: true }) }),
  fc.record({
    kind: fc.constant("message" as const),
    name: fc.string(),
    payload: fc.jsonValue(),
    sender: fc.constant(undefined),
  }),
  fc.record({
    kind: fc.constant("numbered" as const),
    name: fc.string(),
    payload: fc.jsonValue(),
    from: fc.string(),
    number: fc.maxSafeNat(),
  }),
  fc.constant({ kind: "again" as const }),
  fc.record({ kind: fc.constant("timer" as const), timer: fc.maxSafeNat() }),
);
const outcome = fc.record({
  now: fc.option(fc.double({ noNaN: true }), { nil: undefined }),
  sent: fc.nat(),
  hasFailed: fc.boolean(),
});

test("records of all kinds come back as they were, one after the other", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(input, outcome, fc.nat()), { minLength: 1, maxLength: 5 }), (steps) => {
      const writer = new RecordWriter();
      const all = steps.map(([what, end, version]) => {
        writer.begin(what, version);
        return writer.end(end);
      });
      for (const [index, [what, end, version]] of steps.entries()) {
        const read = readRecord(all[index] ?? new Uint8Array());
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        assert.equal(
          plain(read),
          plain({ version, input: what, sent: end.sent, now: end.now, hasFailed: end.hasFailed }),
        );
      }
    }),
  );
});

test("a record that is cut, or longer than it was, is refused and nothing else", async () => {
  const writer = new RecordWriter();
  writer.begin(
    { kind: "message", name: "add", payload: { list: [1, "two", new Map([[3, 4]])] }, sender: undefined },
    1,
  );
  const whole = writer.end({ now: 5, sent: 1, hasFailed: false });
  for (let length = 0; length < whole.byteLength; length++) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    const code = await codeOf(() => readRecord(whole.subarray(0, length)));
    assert.ok(code === "FRAME_INVALID", `${length} bytes: ${code}`);
  }
  assert.is(await codeOf(() => readRecord(new Uint8Array([...whole, 0]))), "FRAME_INVALID");
});

test.run();
