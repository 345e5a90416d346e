import type { Benchmark } from "../harness/benchmark.ts";
import { sumInLoop } from "../peers/keyed-sum-loop.ts";
import { measureKeyedSum } from "./keyed-sum.ts";

export const benchmark: Benchmark = {
  name: "objects-vs-loop",
  workload:
    "4 M {k, v} objects: reader, map, hash to 2 channels, keyed sum, collect, one slot; the same in a plain loop",
  bar: { atLeast: 0.5 },
  unit: "x",
  measure: () => measureKeyedSum("a plain loop", sumInLoop),
};
