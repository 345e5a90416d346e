// The flows that are simulated with faults, and what may come out of each.

import { isDeepStrictEqual } from "node:util";
import { tableFromArrays, type Table } from "apache-arrow";
import {
  arrowTable,
  defineFlow,
  foldByKey,
  hash,
  max,
  numbers,
  sum,
  symmetricJoin,
  type Flow,
} from "../../../../lib/index.ts";
import { sameMultiset } from "../../../../lib/testing/multiset.ts";
import type { CheckSeedsOptions, Outcome } from "../../../../lib/testing/simulation/index.ts";
import {
  bySeq,
  Counting,
  marked,
  once,
  parted,
  Picky,
  Stumbling,
  TakingSome,
  Tallying,
  Unfolding,
  Waiting,
} from "./flow-operators.ts";
import { loopAtOnce, loopRounds, loopVotes } from "./loop-flows.ts";
import { keepsStamps, stampedRows } from "./stamped-flow.ts";
import { tenChannels } from "./ten-channels.ts";
import { givesAll, timed } from "./timed-flow.ts";
import { written } from "./written-flow.ts";

/** A flow with its arguments, and how it is judged. */
export interface SimulatedFlow<Outs> {
  readonly flow: Flow<never, never>;
  readonly args: object;
  readonly options?: Partial<CheckSeedsOptions<Outs>>;
}

const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0, lingerMs: 1 };

/** A stream that parts and meets again twice: the halves wait for each other's end, and spool. */
const diamond = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo));
  const even = all.filter("even", (value) => value % 2 === 0);
  const odd = all.filter("odd", (value) => value % 2 === 1).map("pair", (value) => ({ to: value - 1, value }));
  const joined = even.join("join", odd, {
    left: (value) => value,
    right: "to",
    combine: (left, { value }): number => left + value,
  });
  const back = all.join("again", joined, {
    left: (value) => value % 50,
    right: (sum: number) => sum % 50,
    how: "semi",
  });
  return { joined: joined.collect(), back: back.collect() };
});

/** Sorted beyond memory, then cut again by key. */
const sorted = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  sorted: q
    .read("numbers", numbers(0, upTo))
    .map("mixed", (value) => ({ value, key: (value * 7919) % 1009 }))
    .sort("sort", "key", { memoryBytes: 6000, channels: 1 })
    .collect(),
}));

/** State by key, with checkpoints, of our operators and one of a user. */
const keyed = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", marked(upTo));
  const sums = all.reduceByKey(
    "sums",
    (value) => value % 13,
    () => 0,
    (sum, value) => sum + value,
    { merge: (left, right) => left + right },
  );
  const kinds = all.map("kind", (value) => value % 31).distinct("distinct");
  const weights = q.read("weights", numbers(0, 13), { channels: 1 }).map("weight", (key) => ({ key, weight: key * 2 }));
  const weighed = all.broadcastJoin("weigh", weights, {
    left: (value) => value % 13,
    right: "key",
    combine: (value, { weight }): number => value * weight,
  });
  return {
    sums: sums.collect(),
    kinds: kinds.collect(),
    weighed: weighed.collect(),
    own: all
      .partition(hash((value) => value % 7))
      .map("twice", (value) => value * 2)
      .apply("own", () => new Counting(7))
      .collect(),
  };
});

/** States of which checkpoints hold what has changed: of joins, of keyed operators, and of one of a user. */
const changing = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", marked(upTo), { channels: 2 });
  const pairs = q
    .read("pairs", numbers(0, upTo))
    .map("pair", (value) => ({ to: value * 2, value }))
    .partition(hash("to"));
  const symmetric = symmetricJoin({
    left: (value: number) => value,
    right: (pair: { to: number; value: number }) => pair.to,
    how: "full",
    combine: (left, right) => `${left} ${right?.value}`,
  });
  return {
    tallied: all
      .partition(hash((value) => value % 40))
      .apply("tally", () => new Tallying(40))
      .collect(),
    balances: all
      .partition(hash((value) => value % 25))
      .apply(
        "balances",
        foldByKey({ key: (value: number) => value % 25, init: () => 0, fold: (sum, value) => sum + value }),
      )
      .collect(),
    extremes: all
      .map("row", (value) => ({ key: value % 9, value }))
      .aggregate("extremes", { by: "key", aggregates: { most: max("value"), sum: sum("value") } })
      .collect(),
    both: q.apply("both", { left: all.partition(hash((value) => value)), right: pairs }, symmetric).collect(),
  };
});

/** Ends before its inputs do, in three ways. */
const earlyStop = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo));
  return {
    first: all.limit("first", 25).collect(),
    some: all.apply("some", () => new TakingSome(40), { channels: 1 }).collect(),
    top: all.topK("top", 5, (value) => value, { order: "descending" }).collect(),
  };
});

/** Sinks of several kinds side by side. */
const sinks = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo));
  return {
    lines: all.map("line", (value) => `line ${value}`).toLines("/simulated/lines", { rowsPerFile: 40 }),
    json: all.map("row", (value) => ({ value })).toJsonLines("/simulated/json"),
    kept: all.to(bySeq()),
    collected: all.collect(),
  };
});

/** Two streams in step, each held back for the other. */
const zipped = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const left = q.read("left", numbers(0, upTo), { channels: 1 });
  const right = q.read("right", numbers(upTo, 2 * upTo), { channels: 1 });
  const more = q.read("more", numbers(0, upTo / 2), { channels: 1 });
  return {
    pairs: left.zip("zip", right, { combine: (a, b) => b - a }).collect(),
    union: left.union("union", more, right).collect(),
  };
});

/** What a task gives is cut over several; chance and time are part of it, and must be the same for both sinks. */
const unfolded = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const drawn = q
    .read("numbers", numbers(0, upTo))
    .apply("unfold", () => new Unfolding(20))
    .map("draw", (part, ctx) => ({ ...part, edge: ctx.random(), edgeAt: ctx.now() }));
  return { one: drawn.collect(), other: drawn.filter("all", () => true).collect() };
});

/** Asynchronous readers and operators, and a reader with side outputs. */
const waited = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const even = q.read("parted", parted(upTo));
  return {
    even: even.apply("wait", () => new Waiting(), { channels: 2 }).collect(),
    odd: even.sides.odd.count("odd").collect(),
  };
});

/** A source that nobody can ask again. */
const live = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const source = q.read("once", once(upTo));
  return {
    one: source.collect(),
    other: source.filter("all", () => true).to(bySeq()),
    fifth: source.sides.fifth.collect(),
  };
});

/** An operator that fails now and then. */
const stumbled = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  sum: q
    .read("numbers", numbers(0, upTo))
    .apply("stumble", () => new Stumbling(), { channels: 1 })
    .collect(),
}));

/** An operator that fails on some objects always: they are passed over. */
const passedOver = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const picked = q.read("numbers", numbers(0, upTo)).apply("picky", () => new Picky(), { onFailure: "skip" });
  return { fine: picked.collect(), failed: picked.failed.collect() };
});

/** Columnar batches by hash, to all, and as they come. */
const columnar = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const table = (): ReturnType<typeof tableFromArrays> =>
    tableFromArrays({
      key: Int32Array.from({ length: upTo }, (_, at) => at % 17),
      value: Int32Array.from({ length: upTo }, (_, at) => at),
    });
  const small = tableFromArrays({
    key: Int32Array.from({ length: 17 }, (_, at) => at),
    weight: new Int32Array(17).fill(3),
  });
  const rows = q.read("table", arrowTable(table, { splitRows: 20 }));
  const weights = q.read(
    "weights",
    arrowTable(() => small, { splitRows: 5 }),
  );
  const joined = rows.broadcastJoin("weigh", weights, { left: "key" as never, right: "key" as never });
  return {
    sums: rows.aggregate("sums", { by: "key" as never, aggregates: { sum: sum("value" as never) } }).collect(),
    rows: joined.count("rows").collect(),
  };
});

function entry<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: Partial<CheckSeedsOptions<Outs>> = {},
): SimulatedFlow<never> {
  return { flow: flow as never, args, options: { limits, checkpointEveryMs: 3, ...options } as never };
}

/** Every flow that is simulated, by name. */
export const simulatedFlows = {
  join: entry(tenChannels, { upTo: 400, keys: 30 }),
  // Some of what waits fits the memory of spools; none does; all does.
  diamond: entry(diamond, { upTo: 300 }, { limits: { ...limits, spoolMemoryBytes: 100 } }),
  diamondOnDisk: entry(diamond, { upTo: 300 }),
  diamondInMemory: entry(diamond, { upTo: 300 }, { limits: { ...limits, spoolMemoryBytes: Infinity } }),
  sorted: entry(
    sorted,
    { upTo: 400 },
    {
      accept: (outputs, without) =>
        isDeepStrictEqual(
          outputs.sorted.map(({ key }) => key),
          without.sorted.map(({ key }) => key),
        ) && sameMultiset(outputs.sorted, without.sorted),
    },
  ),
  keyed: entry(keyed, { upTo: 100 }, { strict: false }),
  changing: entry(
    changing,
    { upTo: 120 },
    {
      wholeCheckpoints: { belowBytes: 0, changesShare: 2, changesMost: 4 },
      accept: (outputs, without) =>
        sameMultiset(
          outputs.tallied.map(({ key, count }) => `${key} ${count}`),
          without.tallied.map(({ key, count }) => `${key} ${count}`),
        ) &&
        new Set(outputs.tallied.map(({ seen }) => seen)).size <= 3 &&
        sameMultiset(outputs.balances, without.balances) &&
        sameMultiset(outputs.extremes, without.extremes) &&
        sameMultiset(outputs.both, without.both),
    },
  ),
  earlyStop: entry(
    earlyStop,
    { upTo: 600 },
    {
      accept: ({ first, some, top }) => {
        const among = (values: readonly number[], count: number): boolean =>
          new Set(values).size === count &&
          values.length === count &&
          values.every((value) => value >= 0 && value < 600);
        return among(first, 25) && among(some, 40) && isDeepStrictEqual(top, [599, 598, 597, 596, 595]);
      },
    },
  ),
  sinks: entry(
    sinks,
    { upTo: 200 },
    {
      accept: ({ kept, collected, lines, json }, without, outcome) => {
        const all = Array.from({ length: 200 }, (_, value) => value);
        const wanted = [...all.map((value) => `line ${value}`), ...all.map((value) => JSON.stringify({ value }))];
        return (
          lines.rows === 200 &&
          json.rows === 200 &&
          sameMultiset(kept.values, all) &&
          sameMultiset(collected, without.collected) &&
          sameMultiset(linesOf(outcome), wanted)
        );
      },
    },
  ),
  zipped: entry(
    zipped,
    { upTo: 200 },
    {
      accept: ({ pairs, union }, without) =>
        pairs.length === 200 && pairs.every((difference) => difference === 200) && sameMultiset(union, without.union),
    },
  ),
  unfolded: entry(
    unfolded,
    { upTo: 24 },
    {
      accept: ({ one, other }) => {
        const names = new Set(one.map(({ value, part }) => `${value} ${part}`));
        return one.length === 480 && names.size === 480 && sameMultiset(one, other);
      },
    },
  ),
  waited: entry(
    waited,
    { upTo: 40 },
    {
      accept: ({ even, odd }) => {
        const values = even.filter((value) => value > 0 || Object.is(value, 0));
        const seen = even.filter((value) => value < 0).reduce((sum, value) => sum - value, 0);
        return odd[0] === 120 && seen === 120 && new Set(values).size === 120 && values.length === 120;
      },
    },
  ),
  live: entry(
    live,
    { upTo: 60 },
    {
      accept: ({ one, other, fifth }) => {
        return (
          new Set(one).size === one.length &&
          new Set(fifth).size === fifth.length &&
          sameMultiset(one, other.values) &&
          one.length <= 180
        );
      },
    },
  ),
  stumbled: entry(stumbled, { upTo: 300 }, { attempts: 20 }),
  passedOver: entry(
    passedOver,
    { upTo: 250 },
    {
      accept: ({ fine, failed }) => {
        const passed = failed.map(({ object }) => object as number);
        return (
          sameMultiset(
            [...fine, ...passed],
            Array.from({ length: 250 }, (_, value) => value),
          ) &&
          passed.includes(50) &&
          passed.includes(151)
        );
      },
    },
  ),
  columnar: entry(
    columnar,
    { upTo: 100 },
    {
      accept: (outputs, without) =>
        sameMultiset(rowsOf(outputs.sums), rowsOf(without.sums)) && isDeepStrictEqual(outputs.rows, without.rows),
    },
  ),
  stamped: entry(stampedRows, { upTo: 90 }, { accept: keepsStamps }),
  timed: entry(
    timed,
    { upTo: 45 },
    { wholeCheckpoints: { belowBytes: 0, changesShare: 2, changesMost: 4 }, accept: givesAll },
  ),
  loopRounds: entry(loopRounds, { upTo: 60 }),
  loopVotes: entry(loopVotes, { upTo: 40 }),
  loopAtOnce: entry(loopAtOnce, { upTo: 60 }),
  written: entry(written, { upTo: 300 }),
} satisfies Record<string, SimulatedFlow<never>>;

/** Flows whose channels can't change: an operator of theirs has no snapshot, or is a loop. */
export const fixedFlows: readonly string[] = ["unfolded", "columnar", "loopRounds", "loopVotes", "loopAtOnce"];

function linesOf({ files }: Outcome): string[] {
  return [...files.values()].flatMap((bytes) =>
    new TextDecoder()
      .decode(bytes)
      .split("\n")
      .filter((line) => line !== ""),
  );
}

function rowsOf(batches: readonly unknown[]): unknown[] {
  return batches.flatMap((batch) => (batch as Table).toArray().map((row: { toJSON: () => unknown }) => row.toJSON()));
}
