import fc from "fast-check";
import * as assert from "uvu/assert";
import { firstDifference, shorten } from "../../../actors/channel/first-difference.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("first difference");

const values = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
});

test("a value and its structured clone are the same", () => {
  fc.assert(
    fc.property(values, (value) => {
      const copy = structuredClone(value);
      assert.is(firstDifference(structuredClone(copy), copy), undefined);
    }),
  );
});

test("one part of it that is changed is the difference, with its path", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ a: fc.integer(), b: fc.array(fc.string()) }), { minLength: 1 }),
      fc.nat(),
      (rows, nth) => {
        const at = nth % rows.length;
        const changed = structuredClone(rows);
        (changed[at] as { a: number }).a += 1;
        const difference = firstDifference(changed, rows);
        assert.is(difference?.path, `[${at}].a`);
        assert.is(difference?.now, (rows[at]?.a ?? 0) + 1);
        assert.is(difference?.before, rows[at]?.a);
      },
    ),
  );
});

for (const [what, now, before, path] of [
  ["numbers", 1, 2, ""],
  ["zeros of other signs", -0, 0, ""],
  ["a number and its text", [1], ["1"], "[0]"],
  ["null and undefined", { a: null }, { a: undefined }, ".a"],
  ["lengths", [1, 2], [1], "[1]"],
  ["a property that isn't there", { a: 1 }, { a: 1, b: undefined, c: 2 }, ".c"],
  [
    "Maps in another order",
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
    new Map([
      ["b", 2],
      ["a", 1],
    ]),
    "{0}",
  ],
  ["Sets", { of: new Set([1]) }, { of: new Set([1, 2]) }, ".of.size"],
  ["Dates", new Date(1), new Date(2), ""],
  ["bytes", { bytes: Uint8Array.of(1, 2) }, { bytes: Uint8Array.of(1, 3) }, ".bytes"],
  ["kinds", new Map(), {}, ""],
  ["messages", new Error("one"), new Error("other"), ".message"],
] as const) {
  test(`${what} differ`, () => {
    assert.is(firstDifference(now, before)?.path, path);
    assert.is(firstDifference(before, structuredClone(before)), undefined);
  });
}

test("cycles end, and long lists need no stack", () => {
  interface Node {
    readonly value: number;
    next: Node | undefined;
  }
  const ring = (last: number): Node => {
    const first: Node = { value: 0, next: undefined };
    let node = first;
    for (let value = 1; value < 20_000; value++)
      node = node.next = { value: value === 19_999 ? last : value, next: undefined };
    node.next = first;
    return first;
  };
  assert.is(firstDifference(ring(7), ring(7)), undefined);
  assert.is(firstDifference(ring(7), ring(8))?.now, 7);
});

test("what a message shows of a value is short", () => {
  assert.is(shorten({ n: 1, big: 5n }), "{ n: 1, big: 5n }");
  assert.ok(shorten(Array.from({ length: 1000 }, (_, n) => ({ n, text: "x".repeat(500) }))).length <= 160);
});

test.run();
