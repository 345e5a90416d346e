// A thread of the soak: its share of the seeds, over all flows.
import { parentPort, workerData } from "node:worker_threads";
import { StruckFaults, type FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

/** What became of a thread's seeds. */
export interface SoakedShare {
  readonly seeds: number;
  /** Kinds and phases of faults with how often they struck. */
  readonly struck: string;
  readonly problem: string | undefined;
}

// Columnar batches take many times as long as objects, and go the same ways.
const columnarShare = 0.005;

// Small flows meet the same faults in a third of the time.
const quick: readonly FlowName[] = ["waited", "live", "unfolded", "zipped", "earlyStop", "stumbled"];
const weightOf = (name: FlowName): number => (quick.includes(name) ? 3 : 1);

async function soak({ seeds, from }: { readonly seeds: number; readonly from: number }): Promise<SoakedShare> {
  const struck = new StruckFaults();
  const names = Object.keys(simulatedFlows) as FlowName[];
  const others = names.filter((name) => name !== "columnar");
  try {
    await struck.check("columnar", Math.ceil(seeds * columnarShare), from);
    const weights = others.reduce((sum, name) => sum + weightOf(name), 0);
    const each = (seeds - struck.seeds) / weights;
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    for (const name of others) await struck.check(name, Math.ceil(each * weightOf(name)), from);
    struck.assertAll();
    return { seeds: struck.seeds, struck: struck.toString(), problem: undefined };
  } catch (error) {
    return {
      seeds: struck.seeds,
      struck: struck.toString(),
      problem: error instanceof Error ? error.message : String(error),
    };
  }
}

parentPort?.postMessage(await soak(workerData as Parameters<typeof soak>[0]));
