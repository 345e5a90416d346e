import fc from "fast-check";
import * as assert from "uvu/assert";
import { foldByKey, type Keyed, mergeByKey, partialReduceByKey, reduceByKey } from "../../operators/reduce-by-key.ts";
import { suite } from "../kit/suite.ts";
import { cut, drive } from "./drive.ts";

const test = suite("reduce by key");

interface Sale {
  readonly shop: string | number;
  readonly price: number;
}

const total = { key: (sale: Sale) => sale.shop, init: () => 0, reduce: (sum: number, sale: Sale) => sum + sale.price };
const add = (a: number, b: number): number => a + b;
const sales = fc.array(
  fc.record({
    shop: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("a", "b", "")),
    price: fc.integer({ max: 1000 }),
  }),
  { maxLength: 60 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

function expected(objects: readonly Sale[]): Map<string | number, number> {
  const totals = new Map<string | number, number>();
  for (const { shop, price } of objects) totals.set(shop, (totals.get(shop) ?? 0) + price);
  return totals;
}

const asMap = <K, V>(entries: readonly Keyed<K, V>[]): Map<K, V> =>
  new Map(entries.map(({ key, value }) => [key, value]));

test("gives one value for each key, however its input is cut, and from a restored state", async () => {
  await fc.assert(
    fc.asyncProperty(sales, sizes, fc.boolean(), async (objects, sizes, restoring) => {
      const entries = await drive(reduceByKey(total), cut(objects, sizes), { restoring });
      assert.equal(asMap(entries), expected(objects));
      assert.is(entries.length, expected(objects).size);
    }),
    { numRuns: 60 },
  );
});

test("a reduction in two halves gives the same, whatever the number of keys that are held", async () => {
  await fc.assert(
    fc.asyncProperty(
      sales,
      sizes,
      fc.integer({ min: 1, max: 12 }),
      fc.boolean(),
      async (objects, sizes, keysMax, restoring) => {
        const partial = partialReduceByKey({ ...total, merge: add, keysMax });
        const parts = await drive(partial, cut(objects, sizes), { restoring });
        const entries = await drive(mergeByKey({ merge: add }), cut(parts, sizes), { restoring });
        assert.equal(asMap(entries), expected(objects));
      },
    ),
    { numRuns: 60 },
  );
});

test("the first half holds no more keys than it may, and stops looking where keys don't repeat", async () => {
  const objects = Array.from({ length: 1000 }, (_, shop) => ({ shop, price: 1 }));
  const operator = partialReduceByKey({ ...total, merge: add, keysMax: 10 }).create();
  const state = (): { entries: readonly unknown[]; passing: number } => operator.snapshot?.() as never;
  let given = 0;
  for (const { objects: some } of cut(objects, [7])) {
    const out = operator.execute({ input: "in", objects: some as Sale[] }, undefined as never);
    given += ((out ?? []) as readonly unknown[]).length;
    assert.ok(state().entries.length <= 10);
  }
  assert.ok(given >= 990);
  // After a full table of keys that came once, the next 160 objects pass without one.
  assert.ok(state().passing > 0);
});

test("the first half hands on the same whatever its tasks are", async () => {
  await fc.assert(
    fc.asyncProperty(sales, sizes, async (objects, sizes) => {
      const definition = partialReduceByKey({ ...total, merge: add, keysMax: 3 });
      assert.equal(await drive(definition, cut(objects, sizes)), await drive(definition, cut(objects, [1000])));
    }),
    { numRuns: 40 },
  );
});

test("values may be changed in place, and keys may be of any kind", async () => {
  const day = new Date(5);
  const entries = await drive(
    reduceByKey({
      key: (n: number) => [day, n % 2] as const,
      init: (): number[] => [],
      reduce(list, n: number) {
        list.push(n);
        return list;
      },
    }),
    cut([1, 2, 3, 4], [3]),
  );
  assert.equal(entries, [
    { key: [day, 1], value: [1, 3] },
    { key: [day, 0], value: [2, 4] },
  ]);
});

test("a fold gives the value after every object, or only the last ones", async () => {
  const balance = {
    key: (sale: Sale) => sale.shop,
    init: () => 100,
    fold: (sum: number, sale: Sale) => sum - sale.price,
  };
  const objects = [
    { shop: "a", price: 1 },
    { shop: "b", price: 2 },
    { shop: "a", price: 3 },
  ];
  assert.equal(await drive(foldByKey({ ...balance, emit: "updates" }), cut(objects, [2]), { restoring: true }), [
    { key: "a", value: 99 },
    { key: "b", value: 98 },
    { key: "a", value: 96 },
  ]);
  assert.equal(await drive(foldByKey(balance), cut(objects, [2]), { restoring: true }), [
    { key: "a", value: 96 },
    { key: "b", value: 98 },
  ]);
});

test("a number of keys that can't be held is refused", () => {
  assert.throws(() => partialReduceByKey({ ...total, merge: add, keysMax: 0 }).create(), /keysMax can't be 0/);
});

test.run();
