import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { Key } from "../../lib/core/contracts/partition.ts";
import {
  aggregate,
  count,
  countObjects,
  hash,
  limit,
  mergeAggregates,
  mergeByKey,
  partialAggregate,
  partialCount,
  partialLimit,
  partialReduceByKey,
  partialTopK,
  reduceByKey,
  sort,
  topK,
  union,
  zip,
} from "../../lib/index.ts";
import { roundRobin } from "../../lib/partition/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks } from "./batches.ts";
import {
  add,
  anyKey,
  cogroupCase,
  counts,
  grouped,
  inOrder,
  joinCases,
  ofObjects,
  reduction,
  type Row,
  rowsOf,
  same,
  sameRows,
  sides,
  size,
} from "./deal-cases.ts";
import { type AnyDefinition, Channels, type Partitions, rowsGiven } from "./dealt.ts";
import { cut, type DrivenTask } from "./drive.ts";

const test = suite("states dealt to other channels");

test("objects: one input", async () => {
  await fc.assert(
    fc.asyncProperty(rowsOf(anyKey), size, counts, async (objects, each, of) => {
      for (const one of ofObjects) await same(one, cut(objects, [each]), of);
    }),
    { numRuns: 25 },
  );
});

test("objects: two inputs", async () => {
  await fc.assert(
    fc.asyncProperty(sides(anyKey), size, counts, async ({ left, right }, each, of) => {
      const [l, r] = [cut(left, [each], "left"), cut(right, [each], "right")];
      for (const one of [...joinCases, cogroupCase]) await same(one, inOrder(one.name, l, r), of);
    }),
    { numRuns: 20 },
  );
});

/** First halves, whose channels may have anything, and the second halves that merge what they give. */
const halves: readonly (readonly [name: string, first: AnyDefinition, second: AnyDefinition, batches: boolean])[] = [
  [
    "reduce",
    partialReduceByKey<Row, Key, number>({ ...reduction, merge: add, keysMax: 5 }),
    mergeByKey({ merge: add }),
    false,
  ],
  ["aggregate", partialAggregate<Row>(grouped), mergeAggregates<Row, "key">(grouped), true],
  [
    "aggregate of all",
    partialAggregate<Row>({ aggregates: grouped.aggregates } as never),
    mergeAggregates({ aggregates: grouped.aggregates } as never),
    true,
  ],
  [
    "count",
    partialCount<Row>(),
    reduceByKey<number, number, number>({ key: () => 0, init: () => 0, reduce: add }),
    true,
  ],
  ["top", partialTopK<Row>({ k: 4, by: "value" }), topK<Row>({ k: 4, by: "value" }), true],
];

test("first halves: their states may go anywhere", async () => {
  const check = async (tasks: readonly DrivenTask[], of: readonly [number, number, number], isBatches: boolean) => {
    for (const [name, first, second, batches] of halves) {
      if (isBatches && !batches) continue;
      const result = async (firsts: Channels): Promise<unknown[]> => {
        const seconds = Channels.fresh(second, { in: roundRobin() }, 1);
        await seconds.take((await firsts.done()).map((object) => ({ input: "in", objects: [object] })));
        const rows = await rowsGiven(await seconds.done());
        // Which of several with the same value are kept isn't promised.
        return name === "top" ? rows.map((row) => (row as Row).value).toSorted((a, b) => a - b) : rows;
      };
      const alone = Channels.fresh(first, { in: roundRobin() }, 1);
      await alone.take(tasks);
      const half = Math.ceil(tasks.length / 2);
      let step = Channels.fresh(first, { in: roundRobin() }, of[0]);
      await step.take(tasks.slice(0, half));
      step = await (await step.dealtTo(of[1])).dealtTo(of[2]);
      await step.take(tasks.slice(half));
      sameRows(await result(step), await result(alone), `${name}, ${of.join(" to ")} channels`);
    }
  };
  await fc.assert(
    fc.asyncProperty(rowsOf(fc.nat(9)), size, counts, (objects, each, of) => check(cut(objects, [each]), of, false)),
    { numRuns: 20 },
  );
  await fc.assert(
    fc.asyncProperty(rowsOf(fc.nat(9)), size, counts, async (objects, each, of) =>
      check(await batchTasks(objects, [each], "polars"), of, true),
    ),
    { numRuns: 3 },
  );
});

test("first halves of limits pass enough", async () => {
  const tasks = cut(
    Array.from({ length: 40 }, (_, at) => at),
    [3],
  );
  for (const of of [
    [1, 4],
    [4, 1],
    [3, 2],
    [2, 5],
  ] as const) {
    let step = Channels.fresh(partialLimit(10), { in: roundRobin() }, of[0]);
    await step.take(tasks.slice(0, 4));
    step = await step.dealtTo(of[1]);
    await step.take(tasks.slice(4));
    assert.ok(new Set(await step.done()).size >= 10, of.join(" to "));
  }
});

test("a union has nothing to deal", async () => {
  const step = await Channels.fresh(union<{ in: number }>(), { in: roundRobin() }, 2).dealtTo(3);
  await step.take(cut([1, 2, 3], [2]));
  assert.equal(await rowsGiven(await step.done()), await rowsGiven([1, 2, 3]));
});

test("steps of one channel, and such as have no keys, keep their number of channels", () => {
  const ofOne: readonly AnyDefinition[] = [
    sort<Row>({ by: "value" }),
    topK<Row>({ k: 1, by: "value" }),
    limit<Row>(1),
    countObjects<Row>(),
    zip<Row, Row>(),
    aggregate<Row>({ aggregates: { rows: count() } }),
  ];
  for (const { kind, deal } of ofOne) assert.is(deal, undefined, kind);
});

test("what came by another partition function than hash of the key is refused", async () => {
  const objects = Array.from({ length: 50 }, (_, key) => ({ key, value: key % 3 }));
  const aside: Partitions = { in: hash<Row>("value") };
  for (const { definition, name } of ofObjects) {
    const step = Channels.fresh(definition, aside, 3);
    await step.take(cut(objects, [9]));
    const refused = await failure(() => step.dealtTo(2), "UNSUPPORTED");
    assert.match(refused.message, /hash\(\) would have sent to another one/, name);
  }
});

test.run();
