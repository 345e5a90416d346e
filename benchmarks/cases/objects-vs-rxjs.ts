import type { Benchmark } from "../harness/benchmark.ts";
import { sumInRxjs } from "../peers/keyed-sum-rxjs.ts";
import { measureKeyedSum } from "./keyed-sum.ts";

export const benchmark: Benchmark = {
  name: "objects-vs-rxjs",
  workload: "4 M {k, v} objects: reader, map, hash to 2 channels, keyed sum, collect, one slot; the same in RxJS",
  bar: { atLeast: 2 },
  unit: "x",
  measure: () => measureKeyedSum("RxJS", sumInRxjs),
};
