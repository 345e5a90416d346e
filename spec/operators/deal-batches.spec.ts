// specs: timeout 120 s
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches, loadPolars } from "../../lib/core/batch/index.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { distinct, hash } from "../../lib/index.ts";
import { hashWhole } from "../../lib/partition/index.ts";
import { structuralKey } from "../../operators/distinct.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar } from "./batches.ts";
import { counts, inOrder, joinCases, ofBatches, type Row, rowsOf, same, sameRows, sides, size } from "./deal-cases.ts";
import { Channels, rowsGiven } from "./dealt.ts";
import { cut, type DrivenTask } from "./drive.ts";

const test = suite("states of batches dealt to other channels");

const oneType: readonly fc.Arbitrary<Key>[] = [
  fc.oneof(fc.nat(40), fc.constant(null)),
  fc.constantFrom("", "a", "b", "c", "naïve", "longer than twelve bytes", null),
  fc.constantFrom(new Date(7), new Date(86_400_000), new Date(5e11), null),
];

test("batches: one input", async () => {
  const rows = fc.oneof(...oneType.map((key) => rowsOf(key)));
  for (const representation of columnar) {
    await fc.assert(
      fc.asyncProperty(rows, size, counts, async (objects, each, of) => {
        const tasks = await batchTasks(objects, [each], representation);
        for (const one of ofBatches) await same(one, tasks, of);
      }),
      { numRuns: 2 },
    );
  }
});

async function tasksOf(
  input: string,
  rows: readonly object[],
  each: number,
  of: "arrow" | "polars",
): Promise<DrivenTask[]> {
  return (await batchTasks(rows, [each], of)).map((task) => ({ ...task, input }));
}

test("batches: two inputs", async () => {
  for (const representation of columnar) {
    // Half of the cases each: Polars plans every small join anew.
    const joins = joinCases.filter(({ name }) => name.includes("day") === (representation === "arrow"));
    await fc.assert(
      fc.asyncProperty(sides(fc.nat(15)), fc.integer({ min: 4, max: 9 }), counts, async ({ left, right }, each, of) => {
        // A first row of each side tells the types of all.
        const l = await tasksOf("left", [{ key: 99, day: "wed", a: 1 }, ...left], each, representation);
        const r = await tasksOf("right", [{ key: 98, day: "wed", b: 1 }, ...right], each, representation);
        for (const one of joins) await same(one, inOrder(one.name, l, r), of);
      }),
      { numRuns: 1 },
    );
  }
});

test("symmetric joins: what met after the last whole state, and what still waits", async () => {
  const rowsOfSide = (name: string): object[] => Array.from({ length: 120 }, (_, at) => ({ key: at % 37, [name]: at }));
  const [left, right] = [
    await tasksOf("left", rowsOfSide("a"), 4, "polars"),
    await tasksOf("right", rowsOfSide("b"), 4, "polars"),
  ];
  for (const one of joinCases) {
    if (!one.name.startsWith("symmetric") || one.name.includes("day")) continue;
    const tasks = inOrder(one.name, left, right);
    const alone = Channels.fresh(one.definition, one.partitions, 1);
    await alone.take(tasks);
    const wanted = await rowsGiven(await alone.done());
    for (const place of [43, 48]) {
      const step = Channels.fresh(one.definition, one.partitions, 2);
      await step.take(tasks.slice(0, 26));
      step.save();
      await step.take(tasks.slice(26, place));
      const dealt = await step.dealtTo(3);
      await dealt.take(tasks.slice(place));
      sameRows(await rowsGiven(await dealt.done()), wanted, `${one.name}, dealt after ${place} tasks`);
    }
  }
});

test("distinct of times with more digits than milliseconds", async () => {
  const support = await loadBatches();
  const pl = loadPolars();
  const micros = Array.from({ length: 60 }, (_, at) => 1_700_000_000_000_000 + (at % 40) * 7);
  const frame = pl.DataFrame({ at: micros }).select(pl.col("at").cast(pl.Int64).cast(pl.Datetime("us")));
  const tasks = cut(micros, [7]).map(({ input, objects }, index) => ({
    input,
    objects: [support.slice(frame, index * 7, index * 7 + objects.length)],
  }));
  const definition = distinct<Row>({ key: "at" as "key" });
  await same({ name: "times", definition, partitions: { in: hash<Row>("at" as "key") } }, tasks, [3, 2, 5]);
});

test("distinct of columns that aren't keys can't be dealt", async () => {
  const rows = Array.from({ length: 9 }, (_, at) => ({ list: [at % 4, 1] }));
  const tasks = await batchTasks(rows, [3], "arrow");
  const step = Channels.fresh(distinct(), { in: hashWhole(structuralKey) }, 1);
  await step.take(tasks);
  const refused = await failure(() => step.dealtTo(2), "UNSUPPORTED");
  assert.match(refused.message, /distinct has seen rows with columns that can't be hashed/);
  assert.is((await rowsGiven(await step.done())).length, 4);
});

test.run();
