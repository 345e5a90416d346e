// A flow that is held in three places, so that what is to happen between them can't come too early or too late.
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, reader, run, type Reader } from "qstream";
import { evenSplits } from "../kit/even-splits.ts";

/** Channels of each step: one for each slot of the spec. */
export const heldChannels = 6;

/** Files that the second and the last third of all splits wait for. */
export const gatesOf = (gate: string): readonly [second: string, last: string] => [`${gate}-second`, `${gate}-last`];

/** Numbers from 0 on. */
function inThirds(count: number, gate: string): Reader<number> {
  return reader({
    kind: "in-thirds",
    options: { count },
    splits: ({ channels }) => evenSplits(count, channels),
    async *read({ from, to }, _, behind) {
      const done = behind === undefined ? from : Number(behind.after);
      const gates = [undefined, ...gatesOf(gate)];
      for (const [third, wanted] of gates.entries()) {
        const first = from + Math.floor(((to - from) / 3) * third);
        const end = from + Math.floor(((to - from) / 3) * (third + 1));
        if (end <= done) continue;
        while (wanted !== undefined && !existsSync(wanted)) await wait(10);
        yield run(
          Array.from({ length: end - first }, (_value, at) => first + at),
          end,
        );
      }
    },
  });
}

/** Sums by key of what comes in thirds, with channels on all slots. */
export const heldSums = defineFlow(import.meta.url, { count: "int32", gate: "string" }, (q, { count, gate }) => ({
  sums: q
    .read("numbers", inThirds(count, gate), { channels: heldChannels })
    .reduceByKey(
      "sum",
      (n) => n % 7,
      () => 0,
      (sum, n) => sum + n,
      { channels: heldChannels },
    )
    .collect(),
}));
