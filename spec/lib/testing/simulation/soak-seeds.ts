// The soak of seeds, over all flows.
import { shares, StruckFaults, type FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

export interface SeedsToSoak {
  readonly seeds: number;
  /** Milliseconds after which no other round begins: a slow machine does what it can. */
  readonly withinMs: number;
}

/** What became of them. */
export interface SoakedSeeds {
  readonly seeds: number;
  /** Kinds and phases of faults with how often they struck. */
  readonly struck: string;
  readonly problem: string | undefined;
}

const rounds = 20;
// Seeds of each flow, beyond those of the specs. Each round has some of either range.
const ranges = [100_000, 150_000];
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

/** Runs seeds of all flows until all are done, time is over or one has failed. */
export async function soakSeeds({ seeds, withinMs }: SeedsToSoak): Promise<SoakedSeeds> {
  const struck = new StruckFaults();
  const names = Object.keys(simulatedFlows) as FlowName[];
  const weightOf = (name: FlowName): number => weights[name] ?? 1;
  const total = names.reduce((sum, name) => sum + (name === "columnar" ? 0 : weightOf(name)), 0);
  const startedAt = performance.now();
  try {
    for (let turn = 0; turn < rounds * ranges.length && performance.now() - startedAt < withinMs; turn++) {
      const [range, round] = [turn % ranges.length, Math.floor(turn / ranges.length)];
      for (const name of names) {
        const share = name === "columnar" ? columnarShare : ((1 - columnarShare) * weightOf(name)) / total;
        const count = Math.ceil((Math.ceil(seeds / ranges.length) * share) / rounds);
        // oxlint-disable-next-line no-await-in-loop -- one world at a time
        await struck.check(name, count, (ranges[range] ?? 0) + round * count, shares[name]);
      }
    }
    struck.assertAll();
    return { seeds: struck.seeds, struck: struck.toString(), problem: undefined };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { seeds: struck.seeds, struck: struck.toString(), problem };
  }
}
