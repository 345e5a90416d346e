import fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { comparableKey, compareKeys, orderTerms, sorted } from "../../operators/order.ts";
import { suite } from "../kit/suite.ts";

const test = suite("order");

const compare = (a: Key, b: Key): number => Math.sign(compareKeys(comparableKey(a), comparableKey(b)));

test("text is compared by code points, as UTF-8 bytes are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      assert.is(compare(a, b), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
  assert.is(compare("\u{1f600}", "\uffee"), 1);
});

test("keys of any kind are in one total order", () => {
  const key = fc.oneof(
    fc.double(),
    fc.bigInt(),
    fc.string(),
    fc.boolean(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 3 }),
    fc.array(fc.integer({ max: 3 }), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(key, key, key, (a, b, c) => {
      assert.is(compare(a, b), -compare(b, a) + 0);
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
    }),
  );
});

test("numbers and bigints compare exactly, with NaN last", () => {
  assert.is(compare(2 ** 53, 2n ** 53n + 1n), -1);
  assert.is(compare(5, 5n), 0);
  assert.is(compare(Number.NaN, 10n ** 400n), 1);
  assert.is(compare(Number.NaN, Number.NaN), 0);
});

test("what is missing comes last both ways, and equal keys keep their order", () => {
  const objects = [{ k: null, n: 1 }, { k: 2, n: 2 }, { k: 1, n: 3 }, { n: 4 }, { k: 2, n: 5 }] as {
    k?: number | null;
    n: number;
  }[];
  const order = (direction: "ascending" | "descending"): number[] =>
    sorted(objects, orderTerms<{ k?: number | null; n: number }>("k", direction)).map(({ n }) => n);
  assert.equal(order("ascending"), [3, 2, 5, 1, 4]);
  assert.equal(order("descending"), [2, 5, 3, 1, 4]);
});

test("nothing to sort by is refused, and so is a direction that doesn't exist", () => {
  assert.throws(() => orderTerms([], "ascending"), /nothing to sort by/);
  assert.throws(() => orderTerms("a" as never, "up" as never), /"up" is no direction/);
});

test.run();
