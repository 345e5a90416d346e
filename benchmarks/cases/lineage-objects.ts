import type { Session } from "qstream";
import { keyedSum, type Sum } from "../flows/keyed-sum.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { detailsOf, round } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { costOfLineage, describeCost, ratioOf } from "../harness/stores.ts";
import { byKey } from "../harness/sums.ts";

// Long enough for some checkpoints.
const objects = 60_000_000;

export const benchmark: Benchmark = {
  name: "lineage-objects",
  workload: "60 M {k, v} objects: readers on two slots, hash, keyed sum on both; lineage in LMDB against none",
  bar: { atMost: 1.25 },
  unit: "x",
  measure,
};

let bytesATask = 0;

async function measure(): Promise<Measured> {
  const { lmdb, redis } = await costOfLineage({ run: sums }, { warmups: 1, rounds: 5, comparable: byKey });
  return {
    value: ratioOf(lmdb),
    details: {
      ...detailsOf(lmdb, objects),
      lmdb: describeCost(lmdb),
      redis: describeCost(redis),
      record: `${round(bytesATask)} bytes a task`,
    },
  };
}

async function sums(session: Session, seed: number): Promise<Sum[]> {
  const execution = await keyedSum.start({ seed, objects }, { on: session });
  const { sums: made } = await outputsOf(Promise.resolve(execution), { from: "pairs", to: "sum", objects });
  const { records = 0, recordBytes = 0 } = execution.metrics?.lineage ?? {};
  if (records > 0) bytesATask = recordBytes / records;
  return made;
}
