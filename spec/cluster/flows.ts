import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineFlow, numbers, reader, run, type Reader } from "qstream";

/** Keyed sums, collected. */
export const sums = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  sums: q
    .read("numbers", numbers(0, upTo))
    .map("pair", (n) => ({ key: n % 7, value: n }))
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

// Large ones: where the machine is busy, each wait takes longer than it was told.
const piece = 5000;
/** How long so many numbers take, whatever the number of machines. */
const pieceMs = 25;

export interface SlowArguments {
  readonly upTo: number;
  /** A file: no split ends before it is there, so that what is to happen meanwhile can't come too late. */
  readonly gate?: string;
}

/** Numbers that come slowly, and give the machines no work meanwhile. */
function slowNumbers({ upTo, gate }: SlowArguments): Reader<number> {
  return reader({
    kind: "slow-numbers",
    options: { upTo },
    splits: ({ channels }) =>
      Array.from({ length: channels }, (_, channel) => ({
        begin: Math.floor((upTo / channels) * channel),
        end: Math.floor((upTo / channels) * (channel + 1)),
        everyMs: pieceMs * channels,
      })),
    async *read({ begin, end, everyMs }, _ctx, from) {
      for (let first = typeof from?.after === "number" ? from.after : begin; first < end; first += piece) {
        do await wait(everyMs);
        while (gate !== undefined && first + piece >= end && !existsSync(gate));
        const objects = Array.from({ length: Math.min(piece, end - first) }, (_, at) => first + at);
        yield run(objects, first + piece);
      }
    },
  });
}

/** The same, slowly: seconds that are long enough for something to go wrong. */
export const slowSums = defineFlow(import.meta.url, (q, args: SlowArguments) => ({
  sums: q
    .read("numbers", slowNumbers(args))
    .map("pair", (n) => ({ key: n % 7, value: n }))
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

/** What they are to give. */
export function sumsOf(upTo: number): { key: number; value: number }[] {
  const sums = Array.from({ length: Math.min(7, upTo) }, (_, key) => ({ key, value: 0 }));
  for (let n = 0; n < upTo; n++) {
    const sum = sums[n % 7];
    if (sum !== undefined) sum.value += n;
  }
  return sums;
}
