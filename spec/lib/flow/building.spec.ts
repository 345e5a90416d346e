import * as assert from "uvu/assert";
import {
  custom,
  defineFlow,
  hash,
  perMachine,
  perSlot,
  single,
  tagged,
  withData,
  type FlowBuilder,
  type Operator,
  type PartitionFunction,
  type PlacementStrategy,
  type QStream,
  type Sink,
  type Task,
} from "../../../lib/index.ts";
import { Graph } from "../../../lib/flow/graph.ts";
import { planGraph } from "../../../lib/flow/plan-graph.ts";
import { topology } from "../../../lib/testing/index.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { numbers } from "../../../readers/numbers.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("building and planning");

class Same implements Operator<{ in: number }, number> {
  execute({ objects }: Task<{ in: number }>): readonly number[] {
    return objects;
  }
}

type Build = (q: FlowBuilder) => Record<string, Sink<unknown>>;
const here = import.meta.url;
const explain = (
  build: Build,
  options: { slots?: number; tags?: string[]; as?: "text" | "dot" | "mermaid" } = {},
): string => defineFlow(here, build).explain({}, { slots: 2, ...options });
const source = (q: FlowBuilder, id = "numbers"): QStream<number> => q.read(id, numbers(0, 10));

test("ids are unique over steps and functions", async () => {
  await failure(() => explain((q) => ({ a: source(q).to(collect()), b: source(q).to(collect()) })), "DUPLICATE_STEP", {
    step: "numbers",
  });
  await failure(
    () =>
      explain((q) => ({
        a: source(q)
          .map("numbers", (n) => n)
          .to(collect()),
      })),
    "DUPLICATE_STEP",
  );
  await failure(() => explain((q) => ({ a: source(q, "").to(collect()) })), "OPTION_INVALID");
});

test("an output may have the name of a step", () => {
  assert.match(
    explain((q) => ({ numbers: source(q).to(collect()) })),
    "numbers (output): sink collect",
  );
});

test("a flow has sinks, all of which it returns once, and no loose ends", async () => {
  await failure(() => explain(() => ({})), "EMPTY_FLOW");
  await failure(
    () => explain((q) => ({ a: source(q).to(collect()), b: q.read("rest", numbers(0, 1)) as never })),
    "OPTION_INVALID",
  );
  const loose = await failure(
    () =>
      explain((q) => {
        q.read("rest", numbers(0, 1));
        return { a: source(q).to(collect()) };
      }),
    "EMPTY_FLOW",
  );
  assert.match(loose.message, '"rest"');
  await failure(
    () =>
      explain((q) => {
        const sink = source(q).to(collect());
        return { a: sink, b: sink };
      }),
    "OPTION_INVALID",
  );
});

test("inputs are streams of this flow, and stages are of inputs", async () => {
  await failure(
    () => explain((q) => ({ a: q.apply("same", { in: 5 as never }, () => new Same()).to(collect()) })),
    "INPUT_UNKNOWN",
    { step: "same", input: "in" },
  );
  await failure(
    () =>
      explain((q) => ({
        a: source(q)
          .apply("same", () => new Same(), { stages: { other: 1 } as never })
          .to(collect()),
      })),
    "INPUT_UNKNOWN",
    { step: "same" },
  );
  let kept: QStream<number> | undefined;
  explain((q) => ({ a: (kept = source(q)).to(collect()) }));
  await failure(
    () => explain((q) => ({ a: q.apply("same", { in: kept as QStream<number> }, () => new Same()).to(collect()) })),
    "INPUT_UNKNOWN",
  );
  await failure(
    () =>
      explain((q) => ({
        a: source(q)
          .apply("same", undefined as never)
          .to(collect()),
      })),
    "OPTION_INVALID",
  );
  await failure(() => explain((q) => ({ a: source(q).to({} as never) })), "OPTION_INVALID");
  await failure(() => explain((q) => ({ a: q.read("r", {} as never).to(collect()) })), "OPTION_INVALID");
});

test("a cycle without a feedback edge is refused, with its steps", async () => {
  const graph = new Graph("loop");
  const add = (id: string, inputs: { from: { step: never; port: string; functions: undefined } }[]): unknown =>
    graph.add({
      id,
      what: "same",
      code: { kind: "operator", create: () => new Same() as never },
      options: undefined,
      parallelism: "single",
      channels: undefined,
      place: undefined,
      declares: undefined,
      representations: undefined,
      mayBlock: false,
      endsEarly: false,
      skips: false,
      inputs: inputs.map(({ from }) => ({ name: "in", from, partition: undefined, after: [], stage: 0 })),
    });
  const inputs: { from: { step: never; port: string; functions: undefined } }[] = [];
  const first = add("first", []) as { inputs: unknown };
  const second = add("second", [{ from: { step: first as never, port: "out", functions: undefined } }]);
  inputs.push({ from: { step: second as never, port: "out", functions: undefined } });
  first.inputs = inputs.map(({ from }) => ({ name: "in", from, partition: undefined, after: [], stage: 0 }));
  const error = await failure(() => planGraph(graph, { slots: [{ id: "s", machine: "m", tags: [] }] }), "CYCLE");
  assert.match(error.message, /"first".*"second"|"second".*"first"/);
});

let counter = 0;

for (const [what, id] of [
  ["the clock", () => `s${Date.now()}`],
  ["a date", () => `s${new Date().getTime()}`],
  ["chance", () => `s${Math.random()}`],
  ["performance.now", () => `s${performance.now()}`],
  ["argv", () => `s${process.argv.length}`],
  ["a global that changes", () => `s${counter++}`],
] as const) {
  test(`a builder that reads ${what} is found`, async () => {
    await failure(() => explain((q) => ({ a: source(q, id()).to(collect()) })), "BUILDER_IMPURE");
  });
}

test("after an impure builder, clock and chance work again; a date of a number is pure", async () => {
  await failure(() => explain((q) => ({ a: source(q, `s${Date.now()}`).to(collect()) })), "BUILDER_IMPURE");
  assert.ok(Date.now() > 0 && Math.random() >= 0 && new Date().getTime() > 0 && performance.now() > 0);
  assert.match(
    explain((q) => ({ a: source(q, new Date(5).toISOString()).to(collect()) })),
    "1970",
  );
  await failure(() => explain((async () => ({})) as never), "BUILDER_IMPURE");
});

/** Reader of `from` channels and operator of `to`, joined by what the table of defaults chooses. */
function partitionOf(from: number, to: number, partition?: PartitionFunction<number>): string {
  const text = explain((q) => {
    const read = q.read("numbers", numbers(0, 10), { channels: from });
    const stream = partition === undefined ? read : read.partition(partition);
    return { a: stream.apply("same", () => new Same(), { channels: to }).to(collect()) };
  });
  return /in <- numbers: (.*)/.exec(text)?.[1] ?? text;
}

test("without a partition function: passed through where the counts are equal, else round robin", () => {
  assert.is(partitionOf(2, 2), "pass-through");
  assert.is(partitionOf(1, 1), "pass-through");
  assert.is(partitionOf(2, 3), "round-robin");
  assert.is(partitionOf(3, 1), "round-robin");
  assert.is(
    partitionOf(
      3,
      2,
      hash((n) => n),
    ).slice(0, 4),
    "hash",
  );
  assert.is(
    partitionOf(
      3,
      2,
      custom(function halves(n) {
        return n % 2;
      }),
    ),
    "custom(halves)",
  );
});

function channelsOf(place: PlacementStrategy | undefined, channels?: number, tags: string[] = []): string {
  const text = explain(
    (q) => ({
      a: source(q)
        .apply("same", () => new Same(), {
          ...(place === undefined ? {} : { place }),
          ...(channels === undefined ? {} : { channels }),
        })
        .to(collect()),
    }),
    { slots: 3, tags },
  );
  return /same: .*\n {2}(.*)\n/.exec(text)?.[1] ?? text;
}

test("channels and placement: one a slot by default, and what the user sets", () => {
  assert.is(channelsOf(undefined), "3 channels on slot-0, slot-1, slot-2");
  assert.is(channelsOf(undefined, 5), "5 channels on slot-0, slot-1, slot-2");
  assert.match(channelsOf(undefined, 1), /^1 channel on slot-\d$/);
  assert.match(channelsOf(single()), /^1 channel on slot-\d$/);
  assert.is(channelsOf(perSlot(2)), "6 channels on slot-0, slot-1, slot-2");
  assert.is(channelsOf(perMachine(2)), "2 channels on slot-0, slot-1");
  assert.is(channelsOf(tagged("gpu", 2), undefined, ["gpu"]), "6 channels on slot-0, slot-1, slot-2");
});

test("placement that can't be had is refused before anything runs", async () => {
  const missing = await failure(() => channelsOf(tagged("gpu")), "PLACEMENT_IMPOSSIBLE", { step: "same" });
  assert.match(missing.message, "gpu");
  await failure(() => channelsOf(single(), 4), "OPTION_INVALID", { step: "same" });
  for (const channels of [0, -1, 1.5, Number.NaN, 70_000])
    await failure(() => channelsOf(undefined, channels), "OPTION_INVALID");
  await failure(() => perSlot(0), "OPTION_INVALID");
  await failure(() => tagged("gpu", 0.5), "OPTION_INVALID");
});

const withoutData = defineFlow(here, (q) => ({
  a: source(q)
    .apply("same", () => new Same(), { place: withData() })
    .to(collect()),
}));

test("withData() on a step whose streams come from no dataset is refused", async () => {
  const place = topology("one", { slots: 1, isolation: "none" });
  const on = await place.session();
  await failure(() => withoutData.run({}, { on }), "PLACEMENT_IMPOSSIBLE", { step: "same" });
  await place.close();
});

const pictured: Build = (q) => {
  const left = source(q, "left").filter("even", (n) => n % 2 === 0);
  const right = source(q, "right");
  const joined = q.apply(
    "join",
    { left: left.partition(hash((n) => n)), right: right.partition(hash((n) => n)).map("behind", (n) => n) },
    (): Operator<{ left: number; right: number }, number> => ({ execute: ({ objects }) => objects }),
    { kind: "my-join", stages: { right: 1 }, declares: "confluent" },
  );
  return { "joined rows": joined.to(collect()) };
};

test("explain shows steps, channels, stages, functions, partition functions, placement and what steps declare", () => {
  const text = explain(pictured)
    .replaceAll(/fingerprint \w+/g, "fingerprint F")
    .replaceAll(/building\.spec-\d+/g, "building-N");
  assert.snapshot(
    text,
    `flow building-N on 2 slots, fingerprint F

left: reader numbers
  2 channels on slot-0, slot-1

right: reader numbers
  2 channels on slot-0, slot-1

join: operator my-join, confluent
  2 channels on slot-0, slot-1
  left <- left: even > hash(function), stage 0
  right <- right: hash(function) > behind (in the consumer), stage 1
  takes objects, arrow, polars

joined rows: sink collect, idempotent
  1 channel on client
  in <- join: round-robin
`,
  );
});

test("the pictures hold the same, and quote what their languages need", () => {
  const quoted: Build = (q) => ({ 'say "hi"': source(q, "back\\slash").to(collect()) });
  for (const [as, parts] of [
    ["dot", ["digraph", "rankdir=LR", 's0 [shape=ellipse, label="left: numbers', "stage 1", "->"]],
    ["mermaid", ["flowchart LR", 's0(["left<br>numbers', "-->", "stage 1"]],
  ] as const) {
    const picture = explain(pictured, { as });
    for (const part of [
      ...parts,
      "even",
      "hash",
      "behind",
      "my-join",
      "confluent",
      "joined rows",
      "2 channels on slot-0, slot-1",
    ])
      assert.match(picture, part);
  }
  assert.match(explain(quoted, { as: "dot" }), String.raw`say \"hi\"`);
  assert.match(explain(quoted, { as: "dot" }), String.raw`back\\slash`);
  assert.match(explain(quoted, { as: "mermaid" }), "say #quot;hi#quot;");
});

test("the same flow has the same fingerprint, another one another", () => {
  const of = (build: Build): string => /fingerprint (\w+)/.exec(explain(build))?.[1] ?? "";
  assert.is(of(pictured), of(pictured));
  const variants = new Set([
    of((q) => ({ a: source(q).to(collect()) })),
    of((q) => ({ b: source(q).to(collect()) })),
    of((q) => ({ a: q.read("numbers", numbers(0, 11)).to(collect()) })),
    of((q) => ({
      a: source(q)
        .map("f", (n) => n)
        .to(collect()),
    })),
    of((q) => ({
      a: source(q)
        .partition(hash((n) => n))
        .to(collect()),
    })),
    of((q) => ({ a: q.read("numbers", numbers(0, 10), { channels: 3 }).to(collect()) })),
  ]);
  assert.is(variants.size, 6);
});

test.run();
