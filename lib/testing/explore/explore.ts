import { QStreamError } from "../../core/errors.ts";
import { checkExploreOptions } from "./check-explore-options.ts";
import { CountsOfRuns, type RunCounts } from "./counts.ts";
import {
  exploreAll,
  showChoices,
  type ChoiceMade,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type FoundExecution,
} from "./exhaustive/index.ts";
import { describeExecution, describeFound, ExplorationFailed, type FoundViolation } from "./found-violation.ts";
import { findInFlow, type FlowExplorationReport, type FlowExploreOptions } from "./explore-flow.ts";
import { isFlowExploration, type FlowExploration } from "./flow-exploration.ts";
import { growthOf, type Growth } from "./growth.ts";
import type { Exploration } from "./exploration.ts";
import { checkSameTwice, firstDifference, notSame } from "./first-difference.ts";
import { inTurn } from "./in-turn.ts";
import { NamedFaults } from "./named-faults.ts";
import { record } from "./record-run.ts";
import { runSeed, type SeedOptions, type SeedRun } from "./run-seed.ts";
import { seedOptionsOf } from "./seed-options.ts";
import { shrink, type FailingRun } from "./shrink.ts";
import { idleActors, uncheckedActors } from "./warnings.ts";
import { writePictures } from "./write-pictures.ts";

export interface ExploreOptions {
  /** How many seeds. Default 100. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** Steps of a run; the exploration's unless told. */
  readonly steps?: number;
  /** Ends each run behind this step, whatever is still to come, as to draw what led to it. Nothing is said of what would have come to hold. */
  readonly stopAt?: number;
  /** How many machines, instead of the exploration's number. */
  readonly machines?: number;
  /** Of a seed's faults, only these strike: ids as a violation names them. */
  readonly onlyFaults?: readonly string[];
  /** Numbers of the messages that take as long as the seed says; all others take the least time. */
  readonly onlyDelays?: readonly number[];
  /** A folder for pictures of a violation; or, where there is one seed and all holds, of its run. Default: none are made. */
  readonly pictures?: string;
  /**
   * Tries all orders in which messages and timers may come, in place of seeds, and all ways in which a few faults may strike: for small
   * systems. True, or how.
   */
  readonly exhaustive?: boolean | ExhaustiveOptions;
  /** Numbers of machines to run each seed with, to see how what it takes grows. */
  readonly sizes?: readonly number[];
  /** How commands name the exploration, as `path#export`. Default: it is looked for in its module. */
  readonly path?: string;
  /** Whether a violation is made small. Default true. */
  readonly shrinks?: boolean;
  /** Called after each seed. */
  readonly onRun?: (run: SeedRun) => void;
  /** Called after each execution of a search through all orders, with how many there have been. */
  readonly onExecution?: (executions: number) => void;
}

/** What became of many seeds. */
export interface ExplorationReport {
  readonly name: string;
  /** Seeds that ran: all, or those up to the first violation. */
  readonly seeds: number;
  /** Steps of all runs. */
  readonly steps: number;
  /** By run; of several numbers of machines, those of the last that was tried. */
  readonly counts: RunCounts;
  /** How many faults struck in all runs. */
  readonly faults: number;
  /** Milliseconds of real time, without those that a violation was made small in. */
  readonly elapsedMs: number;
  readonly violation: FoundViolation | undefined;
  /** Files that were written: pictures of the violation, or of the only run. */
  readonly pictures: readonly string[];
  /** Of a search through all orders. */
  readonly exhaustive: ExhaustiveReport | undefined;
  /** Where there were several numbers of machines. */
  readonly growth: Growth | undefined;
  /** What makes that nothing was found worth less than it seems: nothing is checked, a fault that was named strikes nothing. */
  readonly warnings: readonly string[];
}

/**
 * Runs an exploration, of actors or of a flow, with many seeds, and checks what has to hold after each step of each run. The first violation
 * is made small, and thrown. Of actors, the first seed runs twice before, to see that it is the same run.
 *
 * @returns what the runs took
 * @throws QStreamError EXPLORATION_FAILED for a violation: its message has the invariant, the seed, the steps that lead there, and the
 *   command that repeats it; of actors, its `found` has them as data. NONDETERMINISTIC where a seed doesn't give the same run twice.
 *   OPTION_INVALID for an option that can't be
 * @example
 * const { counts } = await explore(raft, { seeds: 1000, pictures: "violations" });
 * console.log(`${counts.messages.median} messages`);
 */
export function explore<System>(exploration: Exploration<System>, options?: ExploreOptions): Promise<ExplorationReport>;
export function explore<Outs>(
  exploration: FlowExploration<Outs>,
  options?: FlowExploreOptions<Outs>,
): Promise<FlowExplorationReport>;
export async function explore(
  exploration: object,
  options: object = {},
): Promise<ExplorationReport | FlowExplorationReport> {
  if (!isFlowExploration(exploration)) {
    const report = await findViolation(exploration as Exploration, options);
    if (report.violation !== undefined) throw new ExplorationFailed(report.violation);
    return report;
  }
  const report = await findViolation(exploration, options);
  const { text, error } = report.violation ?? {};
  if (text === undefined) return report;
  throw new QStreamError("EXPLORATION_FAILED", text, error === undefined ? {} : { cause: error });
}

/**
 * The same as `explore`, but a violation is returned and not thrown: for those who expect one.
 *
 * @throws QStreamError NONDETERMINISTIC, OPTION_INVALID
 * @example
 * const { violation } = await findViolation(wrongLock, { seeds: 100 });
 * assert.is(violation?.invariant, "two hold the lock");
 */
export function findViolation<System>(
  exploration: Exploration<System>,
  options?: ExploreOptions,
): Promise<ExplorationReport>;
export function findViolation<Outs>(
  exploration: FlowExploration<Outs>,
  options?: FlowExploreOptions<Outs>,
): Promise<FlowExplorationReport>;
export async function findViolation(
  exploration: object,
  options: object = {},
): Promise<ExplorationReport | FlowExplorationReport> {
  if (isFlowExploration(exploration)) return inTurn(() => findInFlow(exploration, options));
  checkExploreOptions(exploration, options);
  return inTurn(() => find(exploration as Exploration, options));
}

async function find<System>(exploration: Exploration<System>, options: ExploreOptions): Promise<ExplorationReport> {
  const { exhaustive = false, sizes } = options;
  if (exhaustive !== false) return findInAll(exploration, options, exhaustive === true ? {} : exhaustive);
  if (sizes === undefined) return findInSeeds(exploration, options, seedOptionsOf(options));
  const reports: ExplorationReport[] = [];
  for (const machines of sizes) {
    // oxlint-disable-next-line no-await-in-loop -- one size after the other
    reports.push(await findInSeeds(exploration, options, { ...seedOptionsOf(options), machines }));
    if (reports.at(-1)?.violation !== undefined) break;
  }
  const isBroken = reports.at(-1)?.violation !== undefined;
  const held = isBroken ? reports.slice(0, -1) : reports;
  const growth = growthOf(
    held.map(({ counts }, index) => ({ size: sizes[index] ?? 0, counts })),
    isBroken ? sizes.slice(held.length) : [],
  );
  return { ...sumOf(reports), growth };
}

async function findInSeeds<System>(
  exploration: Exploration<System>,
  options: ExploreOptions,
  seedOptions: SeedOptions,
): Promise<ExplorationReport> {
  const { seeds = 100, from = 1, onRun } = options;
  const gathered = new CountsOfRuns();
  const named = new NamedFaults(options.onlyFaults);
  await checkSameTwice(exploration, from, seedOptions);
  const startedAt = performance.now();
  const sums = { steps: 0, faults: 0 };
  let handled = 0;
  let failing: FailingRun | undefined;
  let done = 0;
  for (let seed = from; seed < from + seeds && failing === undefined; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const run = await runSeed(exploration, seed, seedOptions);
    done++;
    sums.steps += run.steps;
    handled += run.handled;
    sums.faults += run.struck.length;
    named.ran(run);
    if (run.violation === undefined) gathered.add(run);
    else failing = { seed, options: seedOptions, run, violation: run.violation };
    onRun?.(run);
  }
  const elapsedMs = performance.now() - startedAt;
  if (failing === undefined || seeds === 1) named.check(seeds === 1 ? `seed ${from}` : `none of ${seeds} seeds`);
  const { counts } = gathered;
  const violation = failing === undefined ? undefined : await showFailing(exploration, failing, options);
  const { name } = exploration;
  const warnings = [...uncheckedActors(name, exploration.options), ...idleActors(name, handled), ...named.warnings];
  const pictures = violation?.pictures ?? (seeds === 1 ? await drawSeed(exploration, from, seedOptions, options) : []);
  const none = { exhaustive: undefined, growth: undefined };
  return { name, seeds: done, ...sums, counts, elapsedMs, violation, pictures, ...none, warnings };
}

/** Pictures of a run in which all holds. */
async function drawSeed<System>(
  exploration: Exploration<System>,
  seed: number,
  seedOptions: SeedOptions,
  { pictures, path, sizes }: ExploreOptions,
): Promise<readonly string[]> {
  if (pictures === undefined) return [];
  const { name } = exploration;
  const trace = await record(exploration, seed, seedOptions, path);
  return writePictures(pictures, sizes === undefined ? name : `${name}-${seedOptions.machines}-machines`, trace);
}

async function findInAll<System>(
  exploration: Exploration<System>,
  options: ExploreOptions,
  exhaustive: ExhaustiveOptions,
): Promise<ExplorationReport> {
  const startedAt = performance.now();
  const { report, ...all } = await exploreAll(exploration, exhaustive, options.machines, options.onExecution);
  const elapsedMs = performance.now() - startedAt;
  return reportOfAll(exploration, report, { ...all, elapsedMs }, options);
}

/**
 * Repeats one of all orders, of which the choices are known.
 *
 * @internal for the command line
 */
export async function repeatExecution<System>(
  exploration: Exploration<System>,
  choices: readonly ChoiceMade[],
  options: ExploreOptions,
): Promise<ExplorationReport> {
  checkExploreOptions(exploration, options);
  const { exhaustive, machines } = options;
  const found = await showChoices(exploration, choices, typeof exhaustive === "object" ? exhaustive : {}, machines);
  const report = { executions: 1, redundant: 0, states: undefined, orders: 1, isExhausted: false, cut: 0 };
  const { step = 0 } = found?.violation ?? {};
  return reportOfAll(exploration, report, { steps: step, handled: step, elapsedMs: 0, found }, options);
}

async function reportOfAll<System>(
  exploration: Exploration<System>,
  exhaustive: ExhaustiveReport,
  {
    found,
    handled,
    ...sums
  }: {
    readonly steps: number;
    readonly handled: number;
    readonly elapsedMs: number;
    readonly found: FoundExecution | undefined;
  },
  options: ExploreOptions,
): Promise<ExplorationReport> {
  const violation = found === undefined ? undefined : await describeExecution(exploration, found, options);
  const { counts } = new CountsOfRuns();
  const { pictures = [] } = violation ?? {};
  const none = { seeds: 0, faults: 0, growth: undefined };
  const { name } = exploration;
  const warnings = [...uncheckedActors(name, exploration.options), ...idleActors(name, handled)];
  return { name, ...none, ...sums, counts, violation, pictures, exhaustive, warnings };
}

function sumOf(reports: readonly ExplorationReport[]): ExplorationReport {
  const last = reports.at(-1) as ExplorationReport;
  const sum = (what: "seeds" | "steps" | "faults" | "elapsedMs"): number =>
    reports.reduce((total, report) => total + report[what], 0);
  const pictures = reports.flatMap((report) => report.pictures);
  return {
    ...last,
    pictures,
    warnings: [...new Set(reports.flatMap(({ warnings }) => warnings))],
    seeds: sum("seeds"),
    steps: sum("steps"),
    faults: sum("faults"),
    elapsedMs: sum("elapsedMs"),
  };
}

async function showFailing<System>(
  exploration: Exploration<System>,
  found: FailingRun,
  { shrinks = true, ...shown }: ExploreOptions,
): Promise<FoundViolation> {
  await repeat(exploration, found);
  const smallest = shrinks ? await shrink(exploration, found) : found;
  const run = await repeat(exploration, smallest);
  return describeFound(exploration, found, { ...smallest, run }, shown);
}

/** The same run with its trace. */
async function repeat<System>(exploration: Exploration<System>, failing: FailingRun): Promise<SeedRun> {
  const run = await runSeed(exploration, failing.seed, { ...failing.options, recorded: true });
  const { violation } = run;
  const { invariant, step } = failing.violation;
  if (violation?.invariant === invariant && violation.step === step) return run;
  const again = violation === undefined ? "it held" : `"${violation.invariant}" was broken at step ${violation.step}`;
  const { words = "", outside = run.outside ?? failing.run.outside } =
    (await firstDifference(exploration, failing.seed, failing.options)) ?? {};
  const what = `seed ${failing.seed} of ${exploration.name} broke "${invariant}" at step ${step}`;
  throw notSame(`${what}, and when it was run again ${again}${words}`, outside);
}
