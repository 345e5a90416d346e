import * as assert from "uvu/assert";
import {
  count,
  defineFlow,
  items,
  numbers,
  roundRobin,
  type FlowBuilder,
  type Sink,
  type Task,
} from "../../lib/index.ts";
import { topologies } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("objects that can't travel, and streams without objects");
const [, ...places] = topologies();

class Own {
  value = 1;
}

/** Objects that structured clone refuses or would falsify, and where in them the trouble is. */
const stuck: Readonly<Record<string, { make: () => unknown; at?: RegExp }>> = {
  "a function": { make: () => () => 1 },
  "a function inside": { make: () => ({ a: [1, { call: () => 1 }] }), at: /\.a\[1\]\.call/ },
  "a symbol": { make: () => Symbol("s") },
  "a promise": { make: () => ({ later: Promise.resolve(1) }), at: /\.later/ },
  "a weak map": { make: () => new WeakMap() },
  "an object of a class without a codec": { make: () => new Own(), at: /Own/ },
  "a proxy": { make: () => new Proxy({}, {}) },
};

const sending = defineFlow(import.meta.url, (q, { name }: { name: string }) => ({
  out: q
    .read("numbers", numbers(0, 4), { channels: 1 })
    .map("make", () => stuck[name]?.make())
    .partition(roundRobin())
    .apply("take", () => ({ execute: ({ objects }: Task<{ in: unknown }>) => objects.map(() => 1) }), { channels: 2 })
    .collect(),
}));

type Row = { key: string; value: number };
type Other = { name: string; size: number };
const on = { left: "key", right: "name" } as const;
const none = (q: FlowBuilder) => q.read("none", items<Row>([]));
const others = (q: FlowBuilder) => q.read("others", items<Other>([]));

/** What every operator gives when nothing comes in. */
const empty: Readonly<Record<string, { build: (q: FlowBuilder) => Sink<readonly unknown[]>; gives?: unknown[] }>> = {
  map: {
    build: (q) =>
      none(q)
        .map("f", (row) => row)
        .collect(),
  },
  reduceByKey: {
    build: (q) =>
      none(q)
        .reduceByKey(
          "reduce",
          (row) => row.key,
          () => 0,
          (n) => n + 1,
        )
        .collect(),
  },
  "aggregate by key": {
    build: (q) =>
      none(q)
        .aggregate("a", { by: "key", aggregates: { n: count() } })
        .collect(),
  },
  "aggregate of all": {
    build: (q) =>
      none(q)
        .aggregate("a", { aggregates: { n: count() } })
        .collect(),
    gives: [{ n: 0 }],
  },
  count: { build: (q) => none(q).count("count").collect(), gives: [0] },
  distinct: { build: (q) => none(q).distinct("distinct").collect() },
  topK: { build: (q) => none(q).topK("top", 3, "value").collect() },
  limit: { build: (q) => none(q).limit("limit", 3).collect() },
  sort: { build: (q) => none(q).sort("sort", "value").collect() },
  union: {
    build: (q) =>
      none(q)
        .union("union", q.read("more", items<Row>([])))
        .collect(),
  },
  join: { build: (q) => none(q).join("join", others(q), on).collect() },
  "full join": {
    build: (q) =>
      none(q)
        .join("join", others(q), { ...on, how: "full" })
        .collect(),
  },
  "broadcast join": { build: (q) => none(q).broadcastJoin("join", others(q), on).collect() },
};

const emptied = defineFlow(import.meta.url, (q, { name }: { name: string }) => ({
  out: empty[name]?.build(q) ?? none(q).collect(),
}));

test.after(async () => {
  for (const place of places) await place.close();
});

for (const [name, { at = /can't travel/ }] of Object.entries(stuck)) {
  test(`${name} is refused with the step that sends it`, async () => {
    for (const place of places) {
      const session = await place.session();
      const error = await failure(() => sending.run({ name }, { on: session }), "CANNOT_TRAVEL", { step: "numbers" });
      assert.match(error.message, at);
      assert.match(error.message, /registerCodec/);
    }
  });
}

for (const [name, { gives = [] }] of Object.entries(empty)) {
  test(`${name} of a stream without objects ends`, async () => {
    for (const place of places) {
      const { out } = await emptied.run({ name }, { on: await place.session() });
      assert.equal(out, gives, place.name);
    }
  });
}

test.run();
