// docs/defaults.md against plans: each row of its tables is a step or an edge of a small flow, planned for three slots.

import * as assert from "uvu/assert";
import type { Plan } from "../../lib/core/plan.ts";
import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import { FlowBuilder } from "../../lib/flow/flow-builder.ts";
import { Graph } from "../../lib/flow/graph.ts";
import { planGraph } from "../../lib/flow/plan-graph.ts";
import {
  collect,
  count,
  dataset,
  datasetSink,
  forEach,
  items,
  iterable,
  perMachine,
  perSlot,
  single,
  standardInput,
  tagged,
  writeArrow,
  writeCsv,
  writeJsonLines,
  writeLines,
  writeParquet,
  type Dataset,
  type OutputSink,
  type PlacementStrategy,
  type QStream,
} from "../../lib/index.ts";
import { placeChannels } from "../../lib/placement/index.ts";
import { suite } from "../kit/suite.ts";
import { rows, type Row } from "./rows.ts";
import { tableRows } from "./tables.ts";

const test = suite("docs/defaults.md");
const slots: readonly SlotPlace[] = ["slot-0", "slot-1", "slot-2"].map((id, index) => ({
  id,
  machine: "local",
  tags: index === 0 ? [] : ["gpu"],
}));
const kept = {
  id: "kept",
  parts: [
    { slot: "slot-1", channel: 0, rows: 1, bytes: 1 },
    { slot: "slot-2", channel: 1, rows: 1, bytes: 1 },
  ],
} as unknown as Dataset<Row>;

type Stream = QStream<Row>;
/** Adds the step named "x" behind a stream of two channels. Sinks have no id before they are returned, and are the last step. */
type Add = (stream: Stream, q: FlowBuilder) => unknown;

const total = () => ({ execute: () => {} });
const keys = { left: "k", right: "k" } as const;
const reduce = [({ k }: Row) => k, () => 0, (sum: number, { n }: Row) => sum + n] as const;
const to =
  (sink: OutputSink<Row, unknown>): Add =>
  (stream) =>
    stream.to(sink);

/** The steps that each row of the first table is about. */
const steps: Readonly<Record<string, readonly Add[]>> = {
  reader: [(_, q) => q.read("x", items(rows))],
  "reader of a generator, or of another single source": [
    (_, q) =>
      q.read(
        "x",
        iterable(() => rows),
      ),
  ],
  "reader of standard input": [(_, q) => q.read("x", standardInput())],
  "reader of a dataset": [(_, q) => q.read("x", dataset(kept))],
  "`reduceByKey`, `foldByKey`, `aggregate` by columns, joins, `distinct`, `cogroup`": [
    (stream) => stream.reduceByKey("x", ...reduce),
    (stream) => stream.foldByKey("x", ...reduce),
    (stream) => stream.aggregate("x", { by: "k", aggregates: { rows: count() } }),
    (stream) => stream.join("x", stream, keys),
    (stream) => stream.streamingJoin("x", stream, keys),
    (stream) => stream.broadcastJoin("x", stream, keys),
    (stream) => stream.distinct("x"),
    (stream) => stream.cogroup("x", stream, { ...keys, combine: () => 0 }),
  ],
  "operator of the user's own": [(stream) => stream.apply("x", total)],
  "pre-aggregation (of `aggregate`, `count`, `limit`, `topK`, and of `reduceByKey` with `merge`)": [
    (stream) => stream.aggregate("y", { by: "k", aggregates: { rows: count() } }),
    (stream) => stream.count("y"),
    (stream) => stream.limit("y", 1),
    (stream) => stream.topK("y", 1, "n"),
    (stream) => stream.reduceByKey("y", ...reduce, { merge: (a, b) => a + b }),
  ],
  "`aggregate` without columns, `count`, `limit`, `topK`, `sort`, `zip`": [
    (stream) => stream.aggregate("x", { aggregates: { rows: count() } }),
    (stream) => stream.count("x"),
    (stream) => stream.limit("x", 1),
    (stream) => stream.topK("x", 1, "n"),
    (stream) => stream.sort("x", "n"),
    (stream) => stream.zip("x", stream),
  ],
  "`union`": [(stream, q) => stream.union("x", q.read("narrow", items(rows), { channels: 1 }))],
  "`collect`": [to(collect())],
  "file sinks, `forEach`": [
    to(writeLines("a")),
    to(writeCsv("a")),
    to(writeJsonLines("a")),
    to(writeParquet("a")),
    to(writeArrow("a")),
    to(forEach(() => {})),
  ],
  dataset: [to(datasetSink())],
};

interface Planned {
  readonly channels: number;
  readonly slots: readonly string[];
  readonly kind: PlacementStrategy["kind"];
}

const producerChannels = 2;

function plan(build: (q: FlowBuilder) => unknown): Plan {
  const graph = new Graph("defaults");
  build(new FlowBuilder(graph));
  const datasets = graph.steps.filter((step) => step.parallelism === "with-data");
  return planGraph(graph, { slots, dataSlots: new Map(datasets.map(({ id }) => [id, ["slot-1", "slot-2"]])) });
}

function planned(add: Add): Planned {
  const made = plan((q) => add(q.read("in", items(rows), { channels: producerChannels }), q));
  const step = made.steps.find(({ id }) => id === "x" || id === "y (partial)") ?? made.steps.at(-1);
  assert.ok(step !== undefined);
  const placed: string[][] = [];
  for (const each of made.steps) placed.push(placeChannels(each, { slots, client: "client", placed, turn: 0 }));
  return { channels: step.channels, slots: placed[made.steps.indexOf(step)] ?? [], kind: step.placement.kind };
}

/** What the words of the column "channels" mean on three slots, behind a producer of two channels. */
const channelsOf: Readonly<Record<string, number>> = {
  "one a slot": 3,
  "1": 1,
  "one for each slot that keeps a part of it": 2,
  "as many as its producer": producerChannels,
  "as many as its widest input": producerChannels,
  "2 on each slot": 6,
  "2 on each machine": 2,
  "2 on each slot that has the tag": 4,
};

function checkPlaced(words: string, { slots: found, kind }: Planned): void {
  switch (words) {
    case "on each slot":
      assert.equal([...new Set(found)], ["slot-0", "slot-1", "slot-2"]);
      return;
    case "on one slot":
      assert.is(kind, "single");
      return;
    case "where its producer is":
      assert.is(kind, "with-step");
      assert.equal(found, ["slot-0", "slot-1"]);
      return;
    case "with the data":
      assert.equal(found, ["slot-1", "slot-2"]);
      return;
    case "in the client's own thread":
      assert.equal(found, ["client"]);
      return;
    case "spread":
      assert.ok(new Set(found).size === Math.min(found.length, slots.length) || kind === "tagged", found.join(", "));
      return;
    default:
      assert.unreachable(`"${words}" isn't known to this spec`);
  }
}

const stepRows = tableRows("docs/defaults.md", "step");

test("this spec knows every row of the table of steps", () => {
  assert.equal(
    stepRows.map((row) => row["step"]),
    Object.keys(steps),
  );
});

for (const row of stepRows) {
  test(`by default: ${row["step"]}: ${row["channels"]}, ${row["placed"]}`, () => {
    for (const add of steps[row["step"] ?? ""] ?? []) {
      const found = planned(add);
      assert.is(found.channels, channelsOf[row["channels"] ?? ""]);
      checkPlaced(row["placed"] ?? "", found);
    }
  });
}

for (const row of tableRows("docs/defaults.md", "`place`")) {
  const places: Readonly<Record<string, PlacementStrategy>> = {
    "`single()`": single(),
    "`perSlot(2)`": perSlot(2),
    "`perMachine(2)`": perMachine(2),
    '`tagged("gpu", 2)`': tagged("gpu", 2),
  };
  test(`with ${row["`place`"]}: ${row["channels"]}, ${row["placed"]}`, () => {
    const place = places[row["`place`"] ?? ""];
    assert.ok(place !== undefined);
    const found = planned((stream) => stream.apply("x", total, { place }));
    assert.is(found.channels, channelsOf[row["channels"] ?? ""]);
    checkPlaced(row["placed"] ?? "", found);
    if (place.kind === "tagged") assert.equal([...new Set(found.slots)], ["slot-1", "slot-2"]);
  });
}

test("a number of channels alone is spread, or on one slot", () => {
  assert.equal(planned((stream) => stream.apply("x", total, { channels: 2 })).slots, ["slot-0", "slot-1"]);
  assert.is(planned((stream) => stream.apply("x", total, { channels: 1 })).kind, "single");
});

/** The edges into the step "x" of a flow, by their partition functions. */
function partitions(build: (q: FlowBuilder) => unknown): string[] {
  const made = plan(build);
  const to = made.steps.findIndex(({ id }) => id === "x");
  return made.edges.filter((edge) => edge.to === to).map((edge) => edge.partition.kind);
}

test("edges have the partition functions of the table", () => {
  const table = Object.fromEntries(
    tableRows("docs/defaults.md", "edge").map((row) => [
      row["edge"] ?? "",
      (row["partition function"] ?? "").replace(/^`(\w+)\(.*$/, "$1"),
    ]),
  );
  const read = (q: FlowBuilder, channels: number): Stream => q.read("in", items(rows), { channels });
  const kinds: Readonly<Record<string, string>> = {
    hash: "hash",
    broadcast: "broadcast",
    passThrough: "pass-through",
    roundRobin: "round-robin",
  };
  const found = {
    "into a keyed operator": [
      ...partitions((q) => read(q, 3).reduceByKey("x", ...reduce)),
      ...partitions((q) => read(q, 3).distinct("x")),
      ...partitions((q) => read(q, 3).aggregate("x", { by: "k", aggregates: { rows: count() } })),
    ],
    "into a broadcast join's small side": partitions((q) => {
      const stream = read(q, 3);
      return stream.broadcastJoin("x", stream, keys);
    }).slice(1),
    "else, both steps have as many channels": partitions((q) => read(q, 3).apply("x", total)),
    else: [...partitions((q) => read(q, 2).apply("x", total)), ...partitions((q) => read(q, 2).sort("x", "n"))],
  };
  assert.equal(Object.keys(table), Object.keys(found));
  for (const [edge, used] of Object.entries(found)) {
    assert.ok(used.length > 0);
    for (const kind of used) assert.is(kind, kinds[table[edge] ?? ""], edge);
  }
});

test.run();
