// Flows that are stopped on their way, and gone on with: slow until a file is there, and never held up for long.
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader, run, type Reader } from "qstream";

// With some hundred numbers a split, longer than any spec takes.
const everyMs = 100;

/** Numbers from 0 on, one after the other. A channel goes on with the one that is next. */
function paced(count: number, gate: string): Reader<number> {
  return reader({
    kind: "paced",
    options: { count },
    splits: () =>
      Array.from({ length: 4 }, (_, split) => ({
        from: Math.floor((count / 4) * split),
        to: Math.floor((count / 4) * (split + 1)),
      })),
    async *read({ from, to }, _, behind) {
      for (let n = behind === undefined ? from : Number(behind.after); n < to; n++) {
        if (!existsSync(gate)) await wait(everyMs);
        yield run([n], n + 1);
      }
    },
  });
}

/** Sums by key. */
export const pacedSums = defineFlow(import.meta.url, { count: "int32", gate: "string" }, (q, { count, gate }) => ({
  sums: q
    .read("numbers", paced(count, gate), { channels: 4 })
    .reduceByKey(
      "sum",
      (n) => n % 7,
      () => 0,
      (sum, n) => sum + n,
      { channels: 4 },
    )
    .collect(),
}));

export interface FailingArguments {
  readonly count: number;
  readonly gate: string;
  /** A file: the last number fails before it is there. */
  readonly cure: string;
  /** The folder that all numbers are written to. */
  readonly out: string;
}

/** The same, with a task that fails, and files. */
export const failingSums = defineFlow(import.meta.url, (q, { count, gate, cure, out }: FailingArguments) => {
  const all = q.read("numbers", paced(count, gate), { channels: 2 }).map("fail", (n) => {
    if (n === count - 1 && !existsSync(cure)) throw new Error("there is no cure");
    return n;
  });
  return {
    sums: all
      .reduceByKey(
        "sum",
        (n) => n % 7,
        () => 0,
        (sum, n) => sum + n,
        { channels: 3 },
      )
      .collect(),
    files: all.map("text", String).toLines(out),
  };
});

export default pacedSums;
