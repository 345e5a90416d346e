import { sessionOnVirtualClock } from "qstream/testing";
import { endless, watchReading } from "../flows/endless.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { round } from "../harness/contest.ts";
import { StoreFolder } from "../harness/stores.ts";

const objects = 100_000_000;
/** Looks at every hundredth of the way. */
const looks = 100;

export const benchmark: Benchmark = {
  name: "endless",
  workload:
    "10^8 objects through running sums by key into a sink, on a virtual clock with a real store and disk: disk, store and memory at the end against after one tenth",
  bar: { atMost: 1.1 },
  unit: "x",
  measure,
};

interface Look {
  readonly memory: number;
  readonly disk: number;
}

async function measure(): Promise<Measured> {
  using folder = new StoreFolder();
  const virtual = await sessionOnVirtualClock({ store: folder.url, turnMs: 5 });
  const found: Look[] = [];
  watchReading((read) => {
    if (read >= ((found.length + 1) * objects) / looks) found.push(look(folder));
  });
  const from = performance.now();
  const { taken } = await virtual.until(endless.run({ seed: 1, objects }, { on: virtual.session }));
  const seconds = (performance.now() - from) / 1000;
  if (taken.objects !== objects) throw new Error(`the sinks took ${taken.objects} objects instead of ${objects}`);
  await virtual.until(virtual.session.close());
  const early = heldAt(found, looks / 10);
  const late = heldAt(found, looks);
  const { records, recordBytes, checkpoints } = virtual.written;
  return {
    value: totalOf(late) / totalOf(early),
    details: {
      ours: `${describe(late)} / after one tenth ${describe(early)}`,
      virtual: `${round(virtual.elapsedMs() / 1000)} s in ${round(seconds)} s`,
      checkpoints,
      lineage: `${round(recordBytes / records)} bytes a task, ${records} tasks`,
    },
  };
}

/** Synchronous, between two tasks: what is held by now, garbage left out. */
function look(folder: StoreFolder): Look {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return { memory: heapUsed + external, disk: folder.bytes };
}

/** Checkpoints come and go, so that what is held goes up and down: the mean of the five looks before a point. */
function heldAt(found: readonly Look[], end: number): Look {
  const some = found.slice(end - 5, end);
  const mean = (pick: (look: Look) => number): number => some.reduce((sum, one) => sum + pick(one), 0) / some.length;
  return { memory: mean((one) => one.memory), disk: mean((one) => one.disk) };
}

const totalOf = ({ memory, disk }: Look): number => memory + disk;

function describe(one: Look): string {
  return `memory ${round(one.memory / 1e6)} MB, store and disk ${round(one.disk / 1e6)} MB`;
}
