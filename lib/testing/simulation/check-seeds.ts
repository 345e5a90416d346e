import { QStreamError, type ErrorCode } from "../../core/errors.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { FaultKind, Phase } from "./faults.ts";
import { repeatingCommand } from "./repeating-command.ts";
import { sameOutputs, type Outcome } from "./same-outcome.ts";
import { simulate } from "./simulate.ts";
import type { SimulationOptions, SimulationReport } from "./simulation-options.ts";

export interface CheckSeedsOptions<Outs> extends Omit<SimulationOptions, "seed" | "traceLines"> {
  /** How many seeds. */
  readonly seeds: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /**
   * Whether what a run with faults gave is right, given the outputs of a run without: for flows with several right results,
   * and for files that sinks wrote. Default: the same outputs and files.
   */
  readonly accept?: (outputs: Outs, without: Outs, outcome: Outcome) => boolean;
  /**
   * Codes of errors that an execution may end with under these faults, or what gives them for those that struck: `excusedErrors` has
   * STORE_LOST for a store that forgot. Default: none.
   */
  readonly acceptErrors?: readonly ErrorCode[] | ((struck: SimulationReport<Outs>["faults"]) => readonly ErrorCode[]);
  /** The command that repeats a seed. Default: `npx qstream simulate` with the module that exports the flow, and what it was given. */
  readonly command?: (seed: number) => string;
  /** Whether the reports that `onSeed` gets have their traces. Default false: only a failure has one. */
  readonly traces?: boolean;
  /** Called after each seed. */
  readonly onSeed?: (report: SimulationReport<Outs>) => void;
}

/** What became of many seeds. */
export interface SeedsReport<Outs> {
  /** Seeds that ran: all, or those up to the first failure. */
  readonly seeds: number;
  readonly failure: SeedFailure<Outs> | undefined;
  /** Seeds that ended with an error that is accepted. */
  readonly refused: number;
  /** Faults that struck in all seeds together. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly faultPhases: Readonly<Partial<Record<Phase | "starting", number>>>;
  /** Channels that went elsewhere since the load wasn't even. */
  readonly moves: number;
  /** How often an execution got other channels. */
  readonly rescaled: number;
  /** Virtual milliseconds within which faults struck: as given, or by how long the run without faults took. */
  readonly faultsWithinMs: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly tasks: number;
  /** Milliseconds of real time. */
  readonly elapsedMs: number;
}

export interface SeedFailure<Outs> {
  readonly seed: number;
  readonly reason: string;
  readonly error: Error | undefined;
  /** Repeats exactly this seed. */
  readonly command: string;
  /** The same seed again, with its trace. */
  readonly report: SimulationReport<Outs>;
}

// Always the same, so that a seed strikes at the same times whichever the first one was.
const seedWithout = 0;

/**
 * Runs a flow once without faults and then with many seeds, and compares the outputs: lists as multisets, files by their
 * lines, anything else by its value. Stops at the first seed that fails, gives another result, or leaves something behind.
 *
 * @throws the error of the run without faults
 * @example
 * const { failure } = await checkSeeds(flow, {}, { seeds: 1000, faults: ["kill", "pause"] });
 * if (failure !== undefined) throw new Error(`${failure.reason}\n${failure.command}\n${failure.report.trace.toString()}`);
 */
export async function checkSeeds<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: CheckSeedsOptions<Outs>,
): Promise<SeedsReport<Outs>> {
  const { seeds, from = 1, accept, acceptErrors = [], command, onSeed, traces = false, ...simulated } = options;
  const startedAt = performance.now();
  const without = await simulate(flow, args, { ...simulated, faults: [], seed: seedWithout, traceLines: 0 });
  if (without.outputs === undefined) throw without.error ?? new Error("the run without faults gave no outputs");
  const { outputs } = without;
  const accepted =
    accept ?? ((found: Outs, wanted: Outs, outcome: Outcome) => sameOutputs(found, wanted, outcome, without));
  // Faults strike while the execution runs, and a little longer: they make it longer themselves.
  const faultsWithinMs = options.faultsWithinMs ?? without.virtualMs * 1.5;
  const sums = { moves: 0, rescaled: 0, virtualMs: 0, events: 0, tasks: 0 };
  const faults: Partial<Record<FaultKind, number>> = {};
  const faultPhases: Partial<Record<Phase | "starting", number>> = {};
  let failure: SeedFailure<Outs> | undefined;
  let done = 0;
  let refused = 0;
  for (let seed = from; seed < from + seeds && failure === undefined; seed++) {
    const one = { ...simulated, faultsWithinMs, seed };
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const report = await simulate(flow, args, traces ? one : { ...one, traceLines: 0 });
    done++;
    sums.moves += report.moves;
    sums.rescaled += report.rescaled;
    sums.virtualMs += report.virtualMs;
    sums.events += report.events;
    sums.tasks += report.tasks;
    addCounts(faults, report.faults);
    addCounts(faultPhases, report.faultPhases);
    onSeed?.(report);
    const accepts = typeof acceptErrors === "function" ? acceptErrors(report.faults) : acceptErrors;
    if (report.error instanceof QStreamError && accepts.includes(report.error.code)) {
      refused++;
      continue;
    }
    const reason = reasonOf(report, outputs, accepted);
    if (reason === undefined) continue;
    failure = {
      seed,
      reason: `seed ${seed}: ${reason}`,
      error: report.error,
      // oxlint-disable-next-line no-await-in-loop -- the last one
      command: command?.(seed) ?? (await repeatingCommand(flow, args, simulated, seed)),
      // oxlint-disable-next-line no-await-in-loop -- the last one
      report: await simulate(flow, args, one),
    };
  }
  const elapsedMs = performance.now() - startedAt;
  return { seeds: done, failure, refused, faults, faultPhases, faultsWithinMs, ...sums, elapsedMs };
}

function reasonOf<Outs>(
  report: SimulationReport<Outs>,
  without: Outs,
  accept: NonNullable<CheckSeedsOptions<Outs>["accept"]>,
): string | undefined {
  const { outputs, others, error, leftBehind } = report;
  if (error !== undefined) return `it failed: ${error.message}`;
  if (outputs === undefined) return "it gave no outputs";
  if (![outputs, ...others].every((found) => accept(found, without, report))) {
    return "its outputs differ from those without faults";
  }
  return leftBehind.length === 0 ? undefined : `it left behind: ${leftBehind.slice(0, 5).join(", ")}`;
}

function addCounts<Key extends string>(sums: Partial<Record<Key, number>>, counts: Partial<Record<Key, number>>): void {
  for (const [key, count] of Object.entries(counts) as [Key, number][]) sums[key] = (sums[key] ?? 0) + count;
}
