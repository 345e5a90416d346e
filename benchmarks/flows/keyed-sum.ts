import { defineFlow, hash, type Operator, type Task } from "qstream";
import type { Pair } from "../data/draw.ts";
import { drawnPairs } from "../data/pairs-reader.ts";

export interface Sum {
  readonly k: number;
  sum: number;
}

/** Sums by key: an operator as a user would write it, so that every object goes to a channel and none is summed before. */
export class KeyedSum implements Operator<{ in: Pair }, Sum> {
  readonly #sums = new Map<number, Sum>();

  execute({ objects }: Task<{ in: Pair }>): void {
    const sums = this.#sums;
    for (const { k, v } of objects) {
      const found = sums.get(k);
      if (found === undefined) sums.set(k, { k, sum: v });
      else found.sum += v;
    }
  }

  done(): Sum[] {
    return [...this.#sums.values()];
  }

  snapshot(): Sum[] {
    return [...this.#sums.values()];
  }

  restore(sums: readonly Sum[]): void {
    for (const { k, sum } of sums) this.#sums.set(k, { k, sum });
  }
}

export const keyedSum = defineFlow(import.meta.url, (q, args: { seed: number; objects: number }) => {
  const sums = q
    .read("pairs", drawnPairs(args.seed, args.objects))
    .map("scale", ({ k, v }) => ({ k, v: v * 2 + 1 }))
    .partition(hash("k"))
    .apply("sum", () => new KeyedSum(), { channels: 2 });
  return { sums: sums.collect() };
});
