import fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches, loadPolars } from "../../lib/core/batch/index.ts";
import {
  aggregate,
  count,
  countDistinct,
  first,
  max,
  mean,
  mergeAggregates,
  min,
  partialAggregate,
  sum,
} from "../../operators/aggregate.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar, rowsOf } from "./batches.ts";
import { cut, drive } from "./drive.ts";

const test = suite("aggregate");

interface Row {
  readonly key: string | null;
  readonly part: number;
  readonly n: number | null;
  readonly big: bigint;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
const rows: fc.Arbitrary<Row[]> = fc.array(
  fc.record(
    {
      key: fc.constantFrom("a", "b", null),
      part: fc.integer({ min: 0, max: 1 }),
      n: fc.option(fc.integer({ min: -9, max: 9 })),
      big: fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 40 },
);

const aggregates = {
  rows: count(),
  present: count("n"),
  total: sum("n"),
  bigTotal: sum("big"),
  mean: mean("n"),
  least: min("n"),
  most: max("big"),
  different: countDistinct("n"),
  any: first("part"),
};

/** The same by plain loops, for objects; batches give counts and so on as bigints, which `plain` makes numbers. */
function expected(objects: readonly Row[], by: readonly (keyof Row)[]): Record<string, unknown>[] {
  const groups = new Map<string, Row[]>();
  if (by.length === 0) groups.set("[]", []);
  for (const row of objects) {
    const key = JSON.stringify(by.map((name) => row[name]));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const present = group.flatMap(({ n }) => n ?? []);
    const total = present.reduce((a, b) => a + b, 0);
    return {
      ...Object.fromEntries(by.map((name) => [name, group[0]?.[name]])),
      rows: group.length,
      present: present.length,
      total,
      bigTotal: group.reduce((a, { big }) => a + big, 0n),
      mean: present.length === 0 ? null : total / present.length,
      least: present.length === 0 ? null : Math.min(...present),
      most: group.length === 0 ? null : group.reduce((a, { big }) => (big > a ? big : a), -(2n ** 60n)),
      different: new Set(present).size,
      any: group[0]?.part ?? null,
    };
  });
}

const counts = new Set(["rows", "present", "different"]);

function plain(rows: readonly object[]): unknown[] {
  return rows
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          // Minus zero is zero, and a sum of no bigints is one too.
          if (name === "bigTotal") return [name, BigInt(value as number)];
          return [name, counts.has(name) || value === 0 ? Number(value) + 0 : value];
        }),
      ),
    )
    .sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

const textOf = (row: object): string =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

const bys: readonly (readonly (keyof Row)[])[] = [[], ["key"], ["key", "part"]];

test("aggregates objects by loops' results, whole and in two halves", async () => {
  await fc.assert(
    fc.asyncProperty(rows, sizes, fc.boolean(), fc.constantFrom(...bys), async (objects, sizes, restoring, by) => {
      const options = { by: by as readonly never[], aggregates };
      const whole = await drive(aggregate<Row>(options), cut(objects, sizes), { restoring });
      assert.equal(plain(whole as object[]), plain(expected(objects, by)));
      const parts = await drive(partialAggregate<Row>(options), cut(objects, sizes), { restoring });
      const merged = await drive(mergeAggregates<Row>(options), cut(parts, [2]), { restoring });
      assert.equal(plain(merged as object[]), plain(expected(objects, by)));
    }),
    { numRuns: 40 },
  );
});

for (const representation of columnar) {
  test(`aggregates ${representation} batches by loops' results, whole and in two halves`, async () => {
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.boolean(), fc.constantFrom(...bys), async (objects, sizes, restoring, by) => {
        if (objects.length === 0) return;
        const options = { by: by as readonly never[], aggregates };
        const tasks = await batchTasks(objects, sizes, representation);
        const whole = await drive(aggregate<Row>(options), tasks, { restoring });
        assert.equal(plain(await rowsOf(whole)), plain(expected(objects, by)));
        const half = Math.ceil(tasks.length / 2);
        const parts = [
          ...(await drive(partialAggregate<Row>(options), tasks.slice(0, half), { restoring })),
          ...(await drive(partialAggregate<Row>(options), tasks.slice(half), { restoring })),
        ];
        const merged = await drive(mergeAggregates<Row>(options), cut(parts, [1]), { restoring });
        assert.equal(plain(await rowsOf(merged)), plain(expected(objects, by)));
      }),
      { numRuns: 7 },
    );
  });
}

test("sums of fractions of objects don't depend on order, and are rounded once", async () => {
  const number = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0.1, 1e308, -1e308, 2 ** 53, 1e-300));
  await fc.assert(
    fc.asyncProperty(
      fc.array(number, { maxLength: 20 }),
      sizes,
      fc.infiniteStream(fc.nat()),
      async (numbers, sizes, order) => {
        const options = { aggregates: { total: sum("n"), mean: mean("n") } };
        const shuffled = numbers
          .map((n) => ({ n, place: order.next().value as number }))
          .sort((a, b) => a.place - b.place);
        const one = await drive(
          aggregate<{ n: number }>(options as never),
          cut(
            numbers.map((n) => ({ n })),
            sizes,
          ),
        );
        const parts = await drive(partialAggregate<{ n: number }>(options as never), cut(shuffled, [3]), {
          restoring: true,
        });
        assert.equal(await drive(mergeAggregates<{ n: number }>(options as never), cut(parts, [1])), one);
      },
    ),
    { numRuns: 60 },
  );
  const tens = Array.from({ length: 10 }, () => ({ n: 0.1 }));
  const [{ total }] = (await drive(aggregate<{ n: number }>({ aggregates: { total: sum("n") } }), cut(tens, [3]))) as [
    { total: number },
  ];
  assert.is(total, 1);
  const large = cut([{ n: 1e308 }, { n: 1e308 }, { n: 1 }, { n: -1e308 }, { n: -1e308 }], [2]);
  assert.equal(await drive(aggregate<{ n: number }>({ aggregates: { total: sum("n") } }), large), [{ total: 1 }]);
});

test("sums of 64-bit integers of batches are exact, and don't wrap around", async () => {
  const largest = 2n ** 63n - 1n;
  for (const representation of columnar) {
    const options = { aggregates: { total: sum("n") } };
    const fits = await batchTasks([{ n: largest }, { n: largest }, { n: -largest }], [2], representation);
    assert.equal(await rowsOf(await drive(aggregate<{ n: bigint }>(options), fits)), [{ total: largest }]);
    const exceeds = await batchTasks([{ n: largest }, { n: 1n }], [1], representation);
    const error = await drive(aggregate<{ n: bigint }>(options), exceeds).catch((error: unknown) => error);
    assert.is((error as { code?: string }).code, "LIMIT_EXCEEDED");
  }
});

test("sums of narrow integers don't wrap around", async () => {
  await loadBatches();
  const pl = loadPolars();
  const frame = pl.DataFrame({ n: [2 ** 31 - 1, 2 ** 31 - 1] }).select(pl.col("n").cast(pl.Int32));
  const [row] = await rowsOf(
    await drive(aggregate<{ n: number }>({ aggregates: { total: sum("n") } }), [{ input: "in", objects: [frame] }]),
  );
  assert.equal(row, { total: 2n * (2n ** 31n - 1n) });
});

test("an empty stream is one row without keys, and none with them", async () => {
  const whole = await drive(
    aggregate<Row>({ aggregates: { rows: count(), total: sum("n"), mean: mean("n"), most: max("n") } }),
    [],
  );
  assert.equal(whole, [{ rows: 0, total: 0, mean: null, most: null }]);
  assert.equal(await drive(aggregate<Row>({ by: "key", aggregates: { rows: count() } } as never), []), []);
  await loadBatches();
  const empty = loadPolars()
    .DataFrame({ n: [1] })
    .head(0);
  const [row] = await rowsOf(
    await drive(aggregate<Row>({ aggregates: { rows: count(), most: max("n") } }), [{ input: "in", objects: [empty] }]),
  );
  assert.equal(row, { rows: 0n, most: null });
});

test("NaN is a smallest or largest value only where there is nothing else", async () => {
  const options = { aggregates: { least: min("n"), most: max("n") } };
  for (const [numbers, least, most] of [
    [[Number.NaN, 1, Number.NaN, 3], 1, 3],
    [[Number.NaN], Number.NaN, Number.NaN],
  ] as const) {
    const objects = numbers.map((n) => ({ n }));
    assert.equal(await drive(aggregate<{ n: number }>(options), cut(objects, [1])), [{ least, most }]);
    const batches = await batchTasks(objects, [1], "polars");
    assert.equal(await rowsOf(await drive(aggregate<{ n: number }>(options), batches)), [{ least, most }]);
  }
});

test("what can't be aggregated is an error that names the column", async () => {
  assert.throws(() => aggregate<Row>({ aggregates: {} }), /nothing to aggregate/);
  assert.throws(() => aggregate<Row>({ by: "key", aggregates: { key: count() } } as never), /"key" twice/);
  const options = { aggregates: { total: sum("text") } };
  const failing = async (tasks: Parameters<typeof drive>[1]): Promise<string> =>
    drive(aggregate<{ text: string }>(options), tasks).then(
      () => "no error",
      (error: unknown) => String(error),
    );
  assert.match(await failing(cut([{ text: "a" }], [1])), /needs numbers.*column "text"/);
  assert.match(await failing(await batchTasks([{ text: "a" }], [1], "arrow")), /needs numbers.*column "text"/);
  assert.match(await failing(await batchTasks([{ other: "a" }], [1], "arrow")), /column "text"/);
  assert.match(await failing(cut([{ other: "a" } as never], [1])), /don't have.*column "text".*"other"/s);
});

test("says what it depends on", () => {
  assert.is(aggregate<Row>({ aggregates: { rows: count() } }).declares, "confluent");
  assert.is(aggregate<Row>({ aggregates: { total: sum("n") } }).declares, "order-sensitive");
  assert.is(aggregate<Row>({ aggregates: { total: sum("n") }, representation: "objects" }).declares, "confluent");
  assert.is(aggregate<Row>({ aggregates: { any: first("n") } }).declares, "arbitrary-choice");
});

test.run();
