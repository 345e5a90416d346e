// A thread of the soak: its share of the seeds, over all flows.
import { parentPort, workerData } from "node:worker_threads";
import { shares, StruckFaults, type FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

/** What a thread is told to do. */
export interface SoakShare {
  readonly seeds: number;
  readonly from: number;
  /** Milliseconds after which no other round begins: a slow machine does what it can. */
  readonly withinMs: number;
}

/** What became of a thread's seeds. */
export interface SoakedShare {
  readonly seeds: number;
  /** Kinds and phases of faults with how often they struck. */
  readonly struck: string;
  readonly problem: string | undefined;
}

const rounds = 20;
// Columnar batches take many times as long as objects, and go the same ways.
const columnarShare = 0.004;
// Small flows meet the same faults in a third of the time.
const weights: Partial<Record<FlowName, number>> = {
  waited: 5,
  live: 6,
  unfolded: 3,
  zipped: 3,
  earlyStop: 3,
  stumbled: 3,
};

async function soak({ seeds, from, withinMs }: SoakShare): Promise<SoakedShare> {
  const struck = new StruckFaults();
  const names = Object.keys(simulatedFlows) as FlowName[];
  const weightOf = (name: FlowName): number => weights[name] ?? 1;
  const total = names.reduce((sum, name) => sum + (name === "columnar" ? 0 : weightOf(name)), 0);
  const startedAt = performance.now();
  try {
    for (let round = 0; round < rounds && performance.now() - startedAt < withinMs; round++) {
      for (const name of names) {
        const share = name === "columnar" ? columnarShare : ((1 - columnarShare) * weightOf(name)) / total;
        const count = Math.ceil((seeds * share) / rounds);
        // oxlint-disable-next-line no-await-in-loop -- one world at a time
        await struck.check(name, count, from + round * count, shares[name]);
      }
    }
    struck.assertAll();
    return { seeds: struck.seeds, struck: struck.toString(), problem: undefined };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { seeds: struck.seeds, struck: struck.toString(), problem };
  }
}

parentPort?.postMessage(await soak(workerData as SoakShare));
