// Flows that last some seconds whatever the machine, without much work, so that there is time to break something; and what a flow
// does that breaks something itself. What comes out doesn't depend on the pace.

import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader, run, type Reader } from "qstream";
import { evenSplits } from "../kit/even-splits.ts";

export interface Pace {
  readonly count: number;
  /** Milliseconds between two pieces of a split. */
  readonly everyMs: number;
}

export interface Trouble extends Pace {
  /** `heap` takes a slot once, the first time of all; `throw` happens each time. */
  readonly trouble: "heap" | "throw";
  /** Is there once it has happened. */
  readonly file: string;
}

const splits = 3;
const piece = 250;
const keys = 997;
const textLength = 100;

/** Numbers from 0 on, in pieces that come in time. */
function paced({ count, everyMs }: Pace): Reader<number> {
  return reader({
    kind: "paced",
    options: { count },
    splits: () => evenSplits(count, splits),
    async *read({ from, to }) {
      for (let first = from; first < to; first += piece) {
        if (everyMs > 0) await wait(everyMs);
        yield run(Array.from({ length: Math.min(piece, to - first) }, (_, at) => first + at));
      }
    },
  });
}

/** Sums by key, and counts of the rows of a join: both send their input between machines. */
export const sumsAndJoin = defineFlow(import.meta.url, (q, pace: Pace) => {
  const entries = q
    .read("numbers", paced(pace))
    .map("entry", (n) => ({ key: n % keys, value: n, text: String(n).padStart(textLength, "-") }));
  const names = q
    .read("names", paced({ count: keys, everyMs: 0 }))
    .map("name", (n) => ({ key: n, name: `name ${n % 50}` }));
  return {
    sums: entries
      .reduceByKey(
        "sum",
        ({ key }) => key,
        () => 0,
        (sum, { value }) => sum + value,
      )
      .collect(),
    joined: entries
      .join("join", names, { left: "key", right: "key" })
      .reduceByKey(
        "named",
        ({ name }) => name,
        () => 0,
        (sum, { value, text }) => sum + value + text.length,
      )
      .collect(),
  };
});

/** Sums by key; in the middle there is trouble. */
export const troubledSums = defineFlow(import.meta.url, (q, args: Trouble) => ({
  sums: q
    .read("numbers", paced(args))
    .map("troubled", (n) => {
      if (n === Math.floor(args.count / 2)) happen(args);
      return { key: n % keys, value: n };
    })
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

function happen({ trouble, file }: Trouble): void {
  if (trouble === "throw") throw new Error("this input is bad");
  if (existsSync(file)) return;
  appendFileSync(file, "x");
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
}
