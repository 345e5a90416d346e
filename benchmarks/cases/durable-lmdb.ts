import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { measureDurable } from "../harness/durable.ts";
import { StoreFolder } from "../harness/stores.ts";

export const benchmark: Benchmark = {
  name: "durable-lmdb",
  workload:
    "1,000 durable actors on LMDB, each commit flushed to the disk; killed by SIGKILL, read back and verified; transitions a second",
  bar: { atLeast: 100_000 },
  unit: "/s",
  measure,
};

async function measure(): Promise<Measured> {
  using first = new StoreFolder();
  using second = new StoreFolder();
  using third = new StoreFolder();
  return measureDurable([first, second, third].map(({ url }) => `${url}?flush=true`));
}
