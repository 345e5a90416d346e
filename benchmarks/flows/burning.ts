import { defineFlow, hash } from "qstream";
import { burn } from "../data/burn.ts";
import { drawnPairs } from "../data/pairs-reader.ts";
import { KeyedSum } from "./keyed-sum.ts";

/** A map that costs time, before an exchange by key. */
export const burning = defineFlow(import.meta.url, (q, args: { seed: number; objects: number; iterations: number }) => {
  const { iterations } = args;
  const sums = q
    .read("pairs", drawnPairs(args.seed, args.objects))
    .map("burn", ({ k, v }) => ({ k, v: burn(v + k, iterations) }))
    .partition(hash("k"))
    .apply("sum", () => new KeyedSum(), { channels: 2 });
  return { sums: sums.collect() };
});
