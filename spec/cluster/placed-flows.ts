// Flows whose steps are somewhere for a reason. They run until a file is there, without much work.
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { apart, defineFlow, lines, nearFiles, reader, run, tagged, type Reader } from "qstream";
import { evenSplits } from "../kit/even-splits.ts";

const piece = 100;
const everyMs = 5;

/**
 * Numbers from 0 on, in pieces that come in time. The last piece of each split waits for a file. A channel that goes elsewhere goes on
 * with the piece that is next.
 */
function gated(count: number, gate: string): Reader<number> {
  return reader({
    kind: "gated",
    options: { count },
    splits: ({ channels }) => evenSplits(count, channels),
    async *read({ from, to }, _, behind) {
      const start = behind === undefined ? from : Number(behind.after);
      for (let first = start; first < to; first += piece) {
        const end = Math.min(to, first + piece);
        do await wait(everyMs);
        while (end === to && !existsSync(gate));
        yield run(
          Array.from({ length: end - first }, (_value, at) => first + at),
          end,
        );
      }
    },
  });
}

/** Sums by key. */
export const gatedSums = defineFlow(import.meta.url, { count: "int32", gate: "string" }, (q, { count, gate }) => ({
  sums: q
    .read("numbers", gated(count, gate), { channels: 4 })
    .reduceByKey(
      "sum",
      (n) => n % 7,
      () => 0,
      (sum, n) => sum + n,
      { channels: 4 },
    )
    .collect(),
}));

export interface TaggedArguments {
  readonly count: number;
  readonly gate: string;
  readonly waitMs: number;
}

/** The same, where the sums are made on machines with a tag, which are waited for. */
export const taggedSums = defineFlow(import.meta.url, (q, { count, gate, waitMs }: TaggedArguments) => ({
  sums: q
    .read("numbers", gated(count, gate), { channels: 2 })
    .reduceByKey(
      "sum",
      (n) => n % 7,
      () => 0,
      (sum, n) => sum + n,
      { place: tagged("gpu", 1, { whenMissing: "wait", waitMs }) },
    )
    .collect(),
}));

/** Lines of files that one machine has, and a step that keeps away from where they are read. */
export const nearLines = defineFlow(import.meta.url, (q, { path }: { path: string }) => ({
  count: q
    .read("lines", lines(path), { place: nearFiles({ whenMissing: "fail" }) })
    .reduceByKey(
      "count",
      (line) => line.length,
      () => 0,
      (count) => count + 1,
      { place: apart({ from: "lines" }) },
    )
    .collect(),
}));

export default gatedSums;
