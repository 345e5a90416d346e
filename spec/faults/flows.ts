// Flows that last some tenths of a second whatever the machine, and what comes out of them.

import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader, run, type Reader } from "../../lib/index.ts";
import { evenSplits } from "../kit/even-splits.ts";

/** How many numbers, and how fast. */
export interface Pace {
  readonly count: number;
  /** Milliseconds between two pieces of a split. */
  readonly everyMs: number;
  /** No split gives its last piece before this file is there, so that a fault can't come too late, however slow the machine. */
  readonly gate?: string | undefined;
  /** Until then the numbers of that piece come one by one, so that channels go on saving their states. */
  readonly trickles?: boolean;
}

/** Limits with which whatever waits for a consumer is on a disk. */
export const spilling = { spoolMemoryBytes: 0, inputObjects: 200, parcelObjects: 100 } as const;

const splits = 4;
const piece = 250;

/** Numbers from 0 on, in pieces that come in time: what a task gets of them differs from run to run. */
export function ticking({ count, everyMs, gate, trickles = false }: Pace): Reader<number> {
  return reader({
    kind: "ticking",
    options: { count },
    splits: () => evenSplits(count, splits),
    async *read({ from, to }) {
      for (let first = from; first < to; first += piece) {
        if (everyMs > 0) await wait(everyMs);
        const isHeld = (): boolean => gate !== undefined && first + piece >= to && !existsSync(gate);
        let next = first;
        for (; trickles && next < to - 1 && isHeld(); next++) {
          yield run([next]);
          await wait(everyMs);
        }
        while (isHeld()) await wait(5);
        yield run(Array.from({ length: Math.min(first + piece, to) - next }, (_, at) => next + at));
      }
    },
  });
}

type Entry = { readonly key: number; readonly value: number };
type Count = { readonly key: number; readonly value: number };

const entryOf = (n: number): Entry => ({ key: n % 997, value: n });

export const keyedSum = defineFlow(import.meta.url, (q, pace: Pace) => ({
  sums: q
    .read("numbers", ticking(pace))
    .map("entry", entryOf)
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

export const hashJoin = defineFlow(import.meta.url, (q, pace: Pace) => {
  const names = q
    .read("names", ticking({ count: Math.ceil(pace.count / 8), everyMs: pace.everyMs }))
    .map("name", (n) => ({ key: n, name: `name ${n}` }));
  const left = q.read("numbers", ticking(pace)).map("left", (n) => ({ key: (n * 7) % pace.count, n }));
  return { rows: left.join("join", names, { left: "key", right: "key" }).collect() };
});

export const sorted = defineFlow(import.meta.url, (q, pace: Pace) => ({
  rows: q
    .read("numbers", ticking(pace))
    .map("row", (n) => ({ key: (n * 7919) % 10_007, n }))
    .sort("sort", ["key", "n"])
    .collect(),
}));

/** The same, with most of it in runs on disk until the stream has ended. */
export const sortedOnDisk = defineFlow(import.meta.url, (q, pace: Pace) => ({
  rows: q
    .read("numbers", ticking(pace))
    .map("row", (n) => ({ key: (n * 7919) % 10_007, n }))
    .sort("sort", ["key", "n"], { memoryBytes: 20_000 })
    .collect(),
}));

/** A stream that parts and meets again: what one way sends waits until the other has ended. */
export const diamond = defineFlow(import.meta.url, (q, pace: Pace) => {
  const rows = q.read("numbers", ticking(pace)).map("row", entryOf);
  const counts = rows
    .reduceByKey(
      "count",
      ({ key }) => key,
      () => 0,
      (count) => count + 1,
    )
    .map("counted", ({ key, value }): Count => ({ key, value }));
  return {
    rows: rows
      .join("meet", counts, { left: "key", right: "key", combine: (row, count) => [row?.value, count?.value] })
      .collect(),
  };
});

export const limited = defineFlow(import.meta.url, (q, args: Pace & { readonly most: number }) => ({
  rows: q.read("numbers", ticking(args)).limit("limit", args.most).collect(),
}));

/** An early stop before a step that takes all that is left. */
export const counted = defineFlow(import.meta.url, (q, pace: Pace) => ({
  count: q
    .read("numbers", ticking(pace))
    .limit("limit", Math.floor(pace.count / 2))
    .count("count")
    .collect(),
}));

export const severalSinks = defineFlow(import.meta.url, (q, args: Pace & { readonly folder: string }) => {
  const numbers = q.read("numbers", ticking(args));
  const rows = numbers.map("row", (n) => ({ n, text: `row ${n}` }));
  return {
    count: numbers.count("count").collect(),
    largest: numbers.topK("largest", 5, (n: number) => n).collect(),
    odd: numbers.filter("odd", (n) => n % 1000 === 1).collect(),
    csv: rows.toCsv(`${args.folder}/csv`),
    parquet: rows.toParquet(`${args.folder}/parquet`),
  };
});
