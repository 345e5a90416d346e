import type { Flow } from "../../../flow/define-flow.ts";
import { sameOutputs } from "../same-outcome.ts";
import { simulate } from "../simulate.ts";
import type { ClusterFaultKind } from "./cluster-faults.ts";
import { simulateCluster, type ClusterSimulationOptions, type ClusterSimulationReport } from "./simulate-cluster.ts";

export interface CheckClusterSeedsOptions<Outs> extends Omit<ClusterSimulationOptions, "seed" | "traceLines"> {
  /** How many seeds. */
  readonly seeds: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** Called after each seed. */
  readonly onSeed?: (report: ClusterSimulationReport<Outs>) => void;
}

/** What became of many seeds. */
export interface ClusterSeedsReport<Outs> {
  /** Seeds that ran: all, or those up to the first failure. */
  readonly seeds: number;
  readonly failure: { readonly reason: string; readonly report: ClusterSimulationReport<Outs> } | undefined;
  /** Faults that struck in all seeds together. */
  readonly faults: Readonly<Partial<Record<ClusterFaultKind, number>>>;
  /** The sums over all seeds. */
  readonly reigns: number;
  readonly drivers: number;
  readonly writesRefused: number;
  readonly commitsRefused: number;
  readonly moves: number;
  /** Milliseconds of real time. */
  readonly elapsedMs: number;
}

// Always the same, so that a seed strikes at the same times whichever the first one was.
const seedWithout = 0;

/**
 * Runs a flow on one thread, on a simulated cluster without faults, and then with the faults of many seeds, and compares the
 * outputs. Stops at the first seed that fails, gives another result, or leaves something behind.
 *
 * @throws the error of the run without faults, or an Error where that is disturbed by nothing
 */
export async function checkClusterSeeds<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: CheckClusterSeedsOptions<Outs>,
): Promise<ClusterSeedsReport<Outs>> {
  const { seeds, from = 1, onSeed, ...simulated } = options;
  const startedAt = performance.now();
  const { limits = {}, checkpointEveryMs = 50 } = options;
  const single = await simulate(flow, args, { seed: seedWithout, slots: 1, limits, checkpointEveryMs, traceLines: 0 });
  if (single.outputs === undefined) throw single.error ?? new Error("the run on one thread gave no outputs");
  const wanted = single.outputs;
  const without = await simulateCluster(flow, args, { ...simulated, faults: [], seed: seedWithout });
  const disturbed = reasonOf(without, wanted) ?? restlessness(without, simulated);
  if (disturbed !== undefined) {
    throw without.error ?? new Error(`without faults ${disturbed}\n${without.trace.toString()}`);
  }
  // Faults strike while the execution runs, and a little longer: they make it longer themselves.
  const faultsWithinMs = options.faultsWithinMs ?? without.executionMs * 1.25;
  const faults: Partial<Record<ClusterFaultKind, number>> = {};
  const sums = { reigns: 0, drivers: 0, writesRefused: 0, commitsRefused: 0, moves: 0 };
  let failure: ClusterSeedsReport<Outs>["failure"];
  let done = 0;
  for (let seed = from; seed < from + seeds && failure === undefined; seed++) {
    const one = { ...simulated, faultsWithinMs, seed };
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const report = await simulateCluster(flow, args, { ...one, traceLines: 0 });
    done++;
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += report[key];
    for (const [kind, count] of Object.entries(report.faults) as [ClusterFaultKind, number][]) {
      faults[kind] = (faults[kind] ?? 0) + count;
    }
    onSeed?.(report);
    const reason = reasonOf(report, wanted);
    if (reason === undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- the last one, with its trace
    failure = { reason: `seed ${seed}: ${reason}`, report: await simulateCluster(flow, args, one) };
  }
  return { seeds: done, failure, faults, ...sums, elapsedMs: performance.now() - startedAt };
}

function reasonOf<Outs extends Record<string, unknown>>(
  { outputs, error, leftBehind }: ClusterSimulationReport<Outs>,
  wanted: Outs,
): string | undefined {
  if (error !== undefined) return `it failed: ${error.message}`;
  const files = new Map<string, Uint8Array>();
  if (outputs === undefined || !sameOutputs(outputs, wanted, { files }, { files })) {
    return "its outputs differ from those of one thread";
  }
  return leftBehind.length === 0 ? undefined : `it left behind: ${leftBehind.slice(0, 5).join(", ")}`;
}

/** What a cluster without faults did that nothing asked for: whoever leads goes on leading, and nothing moves. */
function restlessness(
  report: ClusterSimulationReport<unknown>,
  { machines = 3 }: { readonly machines?: number },
): string | undefined {
  const still = { reigns: 1, drivers: 1, machines, moves: 0, writesRefused: 0, commitsRefused: 0 };
  for (const key of Object.keys(still) as (keyof typeof still)[]) {
    if (report[key] !== still[key]) return `there were ${report[key]} ${key}, and not ${still[key]}`;
  }
  return undefined;
}
