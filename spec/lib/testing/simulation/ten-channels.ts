import { defineFlow, numbers } from "../../../../lib/index.ts";

/** What the flow gives for each remainder. */
export interface Remainder {
  readonly remainder: number;
  readonly sum: number;
  readonly number: number;
}

/**
 * Ten channels on three slots: a reader (3), a keyed sum (3), a join of the reader's own stream with the sums (3), which
 * waits for them while it spools, and a collecting sink (1).
 */
export const tenChannels = defineFlow(import.meta.url, (q, args: { upTo: number; keys: number }) => {
  const all = q.read("numbers", numbers(0, args.upTo));
  const sums = all.reduceByKey(
    "sum",
    (number) => number % args.keys,
    () => 0,
    (sum, number) => sum + number,
  );
  const small = all.filter("small", (number) => number < 3 * args.keys);
  const joined = small.join("join", sums, {
    left: (number) => number % args.keys,
    right: "key",
    combine: (number, sum): Remainder => ({ remainder: sum.key, sum: sum.value, number }),
  });
  return { remainders: joined.collect() };
});

/** What comes out, in any order. */
export function expectedRemainders(upTo: number, keys: number): Remainder[] {
  const sums = Array.from({ length: keys }, () => 0);
  for (let number = 0; number < upTo; number++) sums[number % keys] = (sums[number % keys] ?? 0) + number;
  return Array.from({ length: Math.min(upTo, 3 * keys) }, (_, number) => {
    const remainder = number % keys;
    return { remainder, sum: sums[remainder] ?? 0, number };
  });
}
