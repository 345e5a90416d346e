import fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches, loadPolars } from "../../lib/core/batch/index.ts";
import { mapKey } from "../../lib/core/key.ts";
import { distinct, structuralKey } from "../../operators/distinct.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar, rowsOf } from "./batches.ts";
import { cut, drive } from "./drive.ts";

const test = suite("distinct");

const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });
const rows = fc.array(
  fc.record(
    {
      a: fc.option(fc.integer({ min: 0, max: 3 })),
      b: fc.constantFrom("x", "y", ""),
      c: fc.integer({ min: 0, max: 1 }),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 30 },
);

/** First of each, by text that says all. */
function firsts<T>(objects: readonly T[], textOf: (object: T) => string): T[] {
  const seen = new Set<string>();
  return objects.filter((object) => !seen.has(textOf(object)) && seen.add(textOf(object)));
}

test("passes the first object of each key, however its input is cut", async () => {
  await fc.assert(
    fc.asyncProperty(rows, sizes, fc.boolean(), async (objects, sizes, restoring) => {
      const tasks = cut(objects, sizes);
      const wholes = await drive(distinct<(typeof objects)[number]>(), tasks, { restoring });
      assert.equal(
        wholes,
        firsts(objects, (object) => JSON.stringify(object)),
      );
      const keyed = await drive(distinct<(typeof objects)[number]>({ key: ["a", "b"] }), tasks, { restoring });
      assert.equal(
        keyed,
        firsts(objects, ({ a, b }) => JSON.stringify([a, b])),
      );
      const one = await drive(distinct({ key: (object: (typeof objects)[number]) => object.a }), tasks, { restoring });
      assert.equal(
        one,
        firsts(objects, ({ a }) => String(a)),
      );
    }),
    { numRuns: 40 },
  );
});

for (const representation of columnar) {
  test(`does the same with rows of ${representation} batches`, async () => {
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.boolean(), async (objects, sizes, restoring) => {
        const tasks = await batchTasks(objects, sizes, representation);
        const wholes = await drive(distinct(), tasks, { restoring });
        assert.equal(
          await rowsOf(wholes),
          firsts(objects, (object) => JSON.stringify(object)),
        );
        const keyed = await drive(distinct<{ a: number; b: string }>({ key: ["a", "b"] }), tasks, { restoring });
        assert.equal(
          await rowsOf(keyed),
          firsts(objects, ({ a, b }) => JSON.stringify([a, b])),
        );
        const one = await drive(distinct<{ a: number }>({ key: "a" }), tasks, { restoring });
        assert.equal(
          await rowsOf(one),
          firsts(objects, ({ a }) => String(a)),
        );
      }),
      { numRuns: 15 },
    );
  });
}

test("objects are compared in depth, and the order of properties doesn't count", () => {
  const same = (a: unknown, b: unknown): boolean => mapKey(structuralKey(a)) === mapKey(structuralKey(b));
  assert.ok(same({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }));
  assert.ok(same({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(same(new Map([["a", 1]]), new Map([["a", 1]])));
  assert.ok(same(new Set([1, 2]), new Set([2, 1])));
  assert.ok(same({ n: 5 }, { n: 5n }));
  assert.not(same({ a: null }, {}));
  assert.not(same(["a", "b"], ["ab"]));
  assert.not(same({ a: "1" }, { a: 1 }));
  assert.not(same({}, []));
  assert.not(same("\u0001o{}", {}));
  assert.not(same(new Float32Array(2), new Int32Array(2)));
});

test("different structures never have the same key", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const sameText = JSON.stringify(sortedProperties(a)) === JSON.stringify(sortedProperties(b));
      assert.is(mapKey(structuralKey(a)) === mapKey(structuralKey(b)), sameText);
    }),
  );
});

function sortedProperties(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sortedProperties);
  // Marked, so that an object without properties isn't taken for an empty list.
  const properties = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, property]) => [name, sortedProperties(property)]);
  return { properties };
}

test("timestamps that differ by a microsecond are different", async () => {
  await loadBatches();
  const pl = loadPolars();
  const frame = pl.DataFrame({ n: [1, 2, 2] }).select(pl.col("n").cast(pl.Int64).cast(pl.Datetime("us")).alias("at"));
  const [kept] = await drive(distinct({ key: "at" as never }), [{ input: "in", objects: [frame] }]);
  assert.is((kept as typeof frame).height, 2);
});

test("what can't be compared is an error that says so", async () => {
  assert.throws(() => structuralKey({ f: () => 1 }), /hold a function can't be compared/);
  const circle: Record<string, unknown> = {};
  circle["itself"] = circle;
  assert.throws(() => structuralKey(circle), /contains itself/);
  const [task] = await batchTasks([{ a: 1 }], [1], "arrow");
  const failing = (definition: ReturnType<typeof distinct>) =>
    drive(definition, [task as NonNullable<typeof task>]).then(
      () => "no error",
      (error: unknown) => String(error),
    );
  assert.match(await failing(distinct({ key: () => 1 })), /can't read the rows of a columnar batch/);
  assert.match(await failing(distinct({ key: "b" as never })), /column "b"/);
});

test.run();
