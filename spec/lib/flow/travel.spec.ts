import { type Table, tableFromArrays } from "apache-arrow";
import pl from "nodejs-polars";
import * as assert from "uvu/assert";
import {
  defineFlow,
  hash,
  registerCodec,
  withData,
  type Dataset,
  type Operator,
  type Task,
} from "../../../lib/index.ts";
import { loadBatches, representationOf } from "../../../lib/core/batch/index.ts";
import { multiset, topologies } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { datasetSink } from "../../../operators/sinks/dataset.ts";
import { dataset } from "../../../readers/dataset.ts";
import { numbers } from "../../../readers/numbers.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what travels");
const places = topologies();

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}
registerCodec(Money, {
  name: "spec.money",
  encode: (money) => money.cents,
  decode: (cents: number) => new Money(cents),
});

const functions = defineFlow(import.meta.url, (q, args: { n: number }) => ({
  out: q
    .read("numbers", numbers(0, args.n))
    .map("with function", (n) => ({ n, f: () => n }))
    .partition(hash(({ n }) => n))
    .map("call", ({ n }) => n)
    .to(collect()),
}));

const money = defineFlow(import.meta.url, (q, args: { first: Money }) => ({
  cents: q
    .read("numbers", numbers(0, 1000))
    .map("money", (n) => ({ n, money: new Money(n + args.first.cents) }))
    .partition(hash(({ n }) => n))
    .map("cents", (row) => row.money.cents)
    .apply("same", () => ({ execute: ({ objects }: Task<{ in: number }>) => objects }), { channels: 3 })
    .to(collect()),
}));

type Row = { k: string; n: number };

/** Which channel saw which keys, whatever represents the rows. */
class KeysSeen implements Operator<{ in: unknown }, string> {
  async *execute({ objects }: Task<{ in: unknown }>, ctx: { channel: number }): AsyncGenerator<string> {
    const support = await loadBatches();
    const keys = new Set<string>();
    for (const object of objects) {
      const rows = representationOf(object) === undefined ? [object] : support.toObjects(object);
      for (const row of rows) keys.add((row as Row).k);
    }
    for (const key of keys) yield `${key} ${ctx.channel}`;
  }
}

const rowsOf = (numbersIn: readonly number[]): Row[] => numbersIn.map((n) => ({ k: `key-${n % 17}`, n }));
const arrowOf = (rows: readonly Row[]): Table =>
  tableFromArrays({ k: rows.map(({ k }) => k), n: Float64Array.from(rows, ({ n }) => n) });

const keyed = defineFlow(import.meta.url, (q, args: { as: string; n: number }) => {
  const rows = q.read("numbers", numbers(0, args.n)).mapParcels("rows", (objects): readonly unknown[] => {
    const made = rowsOf(objects);
    if (args.as === "objects") return made;
    return [
      args.as === "arrow" ? arrowOf(made) : pl.DataFrame({ k: made.map(({ k }) => k), n: made.map(({ n }) => n) }),
    ];
  });
  return {
    seen: rows
      .partition(hash("k") as never)
      .apply("seen", () => new KeysSeen(), { channels: 5 })
      .to(collect()),
  };
});

const tables = defineFlow(import.meta.url, (q, args: { n: number; as: "objects" | "arrow" | "polars" }) => ({
  rows: q
    .read("numbers", numbers(0, args.n))
    .mapParcels("tables", (objects) => [arrowOf(rowsOf(objects))])
    .partition(hash("n") as never)
    .apply("same", () => ({ execute: ({ objects }: Task<{ in: unknown }>) => objects }), { channels: 3 })
    .to(collect({ as: args.as }) as never),
}));

const behind = defineFlow(import.meta.url, (q) => ({
  lengths: q
    .read("numbers", numbers(0, 100), { channels: 1 })
    .partition(hash((n) => n % 2))
    .map("to table", (n) => arrowOf(rowsOf([n])))
    .apply(
      "lengths",
      () => ({ execute: ({ objects }: Task<{ in: Table }>) => objects.map((table) => table.numRows) }),
      { channels: 2 },
    )
    .to(collect()),
}));

const withTable = defineFlow(import.meta.url, (q, args: { table: Table; frame: pl.DataFrame }) => ({
  sizes: q
    .read("numbers", numbers(0, 4))
    .map("size", () => [args.table.numRows, args.frame.height])
    .to(collect()),
}));

const argument = defineFlow(import.meta.url, (q, args: { what: unknown }) => ({
  out: q
    .read("numbers", numbers(0, 4))
    .map("what", () => typeof args.what)
    .to(collect()),
}));

class Changing implements Operator<{ in: { n: number } }, number> {
  execute({ objects }: Task<{ in: { n: number } }>): readonly number[] {
    for (const object of objects) object.n = -1;
    return objects.map(({ n }) => n);
  }
}

const changing = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("numbers", numbers(0, 10))
    .map("object", (n) => ({ n }))
    .apply("changing", () => new Changing())
    .to(collect()),
}));

const kept = defineFlow(import.meta.url, (q, args: { n: number; bytesMax: number }) => ({
  data: q
    .read("numbers", numbers(0, args.n))
    .map("row", (n) => ({ k: `key-${n % 3}`, n }))
    .to(datasetSink({ bytesMax: args.bytesMax })),
}));

const keptTables = defineFlow(import.meta.url, (q, args: { n: number }) => ({
  data: q
    .read("numbers", numbers(0, args.n))
    .mapParcels("tables", (objects) => [arrowOf(rowsOf(objects))])
    .to(datasetSink<unknown>()),
}));

const reread = defineFlow(import.meta.url, (q, args: { data: Dataset<Row> }) => ({
  big: q
    .read("data", dataset(args.data))
    .filter("big", ({ n }) => n >= 10)
    .apply("here", () => ({ execute: ({ objects }: Task<{ in: Row }>) => objects }), { place: withData() })
    .to(collect()),
}));

for (const { name, session } of places) {
  test(`${name}: what can't travel is refused with the step's name, and where in the object it is`, async () => {
    const on = await session();
    const error = await failure(() => functions.run({ n: 10 }, { on }), "CANNOT_TRAVEL", { step: "numbers" });
    assert.match(error.message, "function");
    assert.match(error.message, /\bf\b/);
  });

  test(`${name}: objects of a class with a codec travel, in streams and as arguments`, async () => {
    const { cents } = await money.run({ first: new Money(5) }, { on: await session() });
    assert.equal(multiset(cents), multiset(Array.from({ length: 1000 }, (_, n) => n + 5)));
  });

  test(`${name}: equal keys go to one channel, as objects, Arrow tables and Polars frames alike`, async () => {
    const on = await session();
    const seen = await Promise.all(
      ["objects", "arrow", "polars"].map(async (as) => new Set((await keyed.run({ as, n: 3000 }, { on })).seen)),
    );
    assert.is(seen[0]?.size, 17);
    assert.equal([...(seen[1] ?? [])].toSorted(), [...(seen[0] ?? [])].toSorted());
    assert.equal([...(seen[2] ?? [])].toSorted(), [...(seen[0] ?? [])].toSorted());
  });

  test(`${name}: tables that functions made are partitioned, and collected as objects, Arrow or Polars`, async () => {
    const on = await session();
    const { rows } = (await tables.run({ n: 2000, as: "objects" }, { on })) as unknown as { rows: Row[] };
    assert.equal(multiset(rows.map(({ n }) => n)), multiset(Array.from({ length: 2000 }, (_, n) => n)));
    const arrow = (await tables.run({ n: 2000, as: "arrow" }, { on })) as unknown as { rows: Table };
    assert.is(arrow.rows.numRows, 2000);
    const polars = (await tables.run({ n: 2000, as: "polars" }, { on })) as unknown as { rows: pl.DataFrame };
    assert.is(polars.rows.height, 2000);
  });

  test(`${name}: functions behind the partition function may make tables too`, async () => {
    assert.equal(
      (await behind.run({}, { on: await session() })).lengths,
      Array.from({ length: 100 }, () => 1),
    );
  });

  test(`${name}: tables and frames are arguments; what can't travel is refused before it runs`, async () => {
    const on = await session();
    const { sizes } = await withTable.run(
      { table: arrowOf(rowsOf([1, 2, 3])), frame: pl.DataFrame({ a: [1, 2] }) },
      { on },
    );
    assert.equal(sizes, [
      [3, 2],
      [3, 2],
      [3, 2],
      [3, 2],
    ]);
    for (const what of [() => 1, { deep: [{ f: () => 1 }] }, Symbol("x")])
      await failure(() => argument.run({ what }, { on }), "ARGUMENT_CANNOT_TRAVEL");
    assert.equal((await argument.run({ what: 5n }, { on })).out, ["bigint", "bigint", "bigint", "bigint"]);
  });

  test(`${name}: strict mode catches an operator that changes what it is given`, async () => {
    const on = await session();
    const error = await failure(() => changing.run({}, { on, strict: true }), "STEP_FAILED", {
      step: "changing",
      input: "in",
    });
    assert.match(error.message, /read.only/);
    assert.is((await changing.run({}, { on })).out.length, 10);
  });

  test(`${name}: a dataset stays in its slots, reads back, and is the input of a later flow, beside its data`, async () => {
    const on = await session();
    const { data } = await kept.run({ n: 20, bytesMax: 1 << 20 }, { on });
    assert.is(data.rows, 20);
    assert.ok(data.bytes > 0);
    assert.equal(
      multiset(await data.objects()),
      multiset(Array.from({ length: 20 }, (_, n) => ({ k: `key-${n % 3}`, n }))),
    );
    assert.is((await data.arrow()).numRows, 20);
    const again = await reread.start({ data: data as unknown as Dataset<Row> }, { on });
    assert.is((await again.outputs).big.length, 10);
    const slots = (step: string): string[] =>
      (again.metrics?.channels ?? []).filter((channel) => channel.step === step).map(({ slot }) => slot);
    assert.equal(slots("data").toSorted(), data.parts.map(({ slot }) => slot).toSorted());
    assert.equal(slots("here"), slots("data"));
    data.release();
    await failure(() => data.objects(), "DATASET_RELEASED");
    await failure(() => reread.run({ data: data as unknown as Dataset<Row> }, { on }), "DATASET_RELEASED", {
      step: "data",
    });
  });

  test(`${name}: a dataset of tables reads back as objects, Arrow and Polars`, async () => {
    const { data } = await keptTables.run({ n: 3000 }, { on: await session() });
    assert.is(data.rows, 3000);
    assert.is((await data.arrow()).numRows, 3000);
    assert.is((await data.polars()).height, 3000);
    assert.is((await data.objects()).length, 3000);
    data.release();
  });

  test(`${name}: an empty dataset is one too`, async () => {
    const { data } = await kept.run({ n: 0, bytesMax: 1 << 20 }, { on: await session() });
    assert.equal(await data.objects(), []);
    assert.equal((await reread.run({ data: data as unknown as Dataset<Row> }, { on: await session() })).big, []);
  });

  test(`${name}: a dataset has a byte limit`, async () => {
    const on = await session();
    await failure(() => kept.run({ n: 10_000, bytesMax: 2000 }, { on }), "LIMIT_EXCEEDED", { step: "data" });
  });
}

test("a dataset needs a session to live in", async () => {
  await failure(() => kept.run({ n: 1, bytesMax: 1000 }, { slots: 1, isolation: "none" }), "OPTION_INVALID", {
    step: "data",
  });
});

test("a dataset can't be read on another session", async () => {
  const [first, second] = places;
  const { data } = await kept.run({ n: 5, bytesMax: 1 << 20 }, { on: await (first as (typeof places)[0]).session() });
  const on = await (second as (typeof places)[0]).session();
  await failure(() => reread.run({ data: data as unknown as Dataset<Row> }, { on }), "DATASET_RELEASED");
});

test.after(async () => {
  for (const place of places) await place.close();
});
test.run();
