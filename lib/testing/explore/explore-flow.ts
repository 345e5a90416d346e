import { QStreamError } from "../../core/errors.ts";
import type { Flow } from "../../flow/define-flow.ts";
import {
  excusedErrors,
  simulate,
  survivableFaults,
  type FaultKind,
  type LiveOperators,
  type SimulationOptions,
  type SimulationReport,
} from "../simulation/index.ts";
import { minimize } from "./minimize.ts";

/** Says whether something holds; false, a text, or an error that is thrown, is that it doesn't. For `never` the other way round. */
type FlowCheck = (operators: LiveOperators) => boolean | string | undefined | void;

export interface FlowExplorationOptions<Outs> extends Omit<SimulationOptions, "seed" | "traceLines" | "onTask"> {
  /** How many seeds. Default 100. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** What holds before each task and behind each turn of a channel, of the operators as they are then. */
  readonly always?: Readonly<Record<string, FlowCheck>>;
  /** What doesn't, at any of these times. */
  readonly never?: Readonly<Record<string, FlowCheck>>;
  /** What holds of the outputs of a run. */
  readonly atEnd?: Readonly<Record<string, (outputs: Outs) => boolean | string | undefined | void>>;
  /** Called after each seed. */
  readonly onRun?: (report: SimulationReport<Outs>) => void;
}

/** What a flow broke in a simulated run. */
export interface FlowViolation {
  readonly invariant: string;
  readonly kind: "always" | "never" | "eventually";
  readonly message: string;
  readonly seed: number;
  /** Kinds of faults that it takes. */
  readonly faults: readonly FaultKind[];
  /** Tasks that had begun. */
  readonly task: number;
  /** Virtual milliseconds. */
  readonly atMs: number;
  readonly error?: Error;
  /** All of it for people, with the last lines of what happened. */
  readonly text: string;
}

export interface FlowExplorationReport {
  /** Seeds that ran: all, or those up to the first violation. */
  readonly seeds: number;
  readonly tasks: number;
  /** Faults that struck. */
  readonly faults: number;
  /** Milliseconds of real time. */
  readonly elapsedMs: number;
  readonly violation: FlowViolation | undefined;
}

/** What is thrown where something doesn't hold. */
class Broken extends Error {
  readonly kind: FlowViolation["kind"];
  readonly invariant: string;
  readonly task: number;
  readonly atMs: number;

  constructor(
    kind: FlowViolation["kind"],
    invariant: string,
    what: string,
    { tasks, nowMs }: Pick<LiveOperators, "tasks" | "nowMs">,
  ) {
    super(what);
    this.kind = kind;
    this.invariant = invariant;
    this.task = tasks;
    this.atMs = nowMs;
  }
}

const seedsDefault = 100;
const linesShown = 40;
const succeeds = "the execution succeeds";

/**
 * Runs a flow in simulated worlds of many seeds, with faults, and checks what has to hold of its operators while it runs, and of its
 * outputs. The first violation is thrown, with as few kinds of faults as it takes.
 *
 * @throws QStreamError EXPLORATION_FAILED, with what was broken, the seed, and the last of what happened; OPTION_INVALID
 * @example
 * await exploreFlow(totals, {}, {
 *   seeds: 200,
 *   always: { "no total is negative": (operators) => operators.of<Totals>("totals").every(({ operator }) => operator.least >= 0) },
 *   atEnd: { "all are counted": ({ counts }) => counts.length === 26 },
 * });
 */
export async function exploreFlow<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: FlowExplorationOptions<Outs> = {},
): Promise<FlowExplorationReport> {
  const report = await findFlowViolation(flow, args, options);
  const { violation } = report;
  if (violation === undefined) return report;
  throw new QStreamError(
    "EXPLORATION_FAILED",
    violation.text,
    violation.error === undefined ? {} : { cause: violation.error },
  );
}

/**
 * The same as `exploreFlow`, but a violation is returned and not thrown.
 *
 * @throws QStreamError OPTION_INVALID
 * @example
 * const { violation } = await findFlowViolation(flow, {}, { never: { "a gap": (operators) => hasGap(operators) } });
 */
export async function findFlowViolation<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: FlowExplorationOptions<Outs> = {},
): Promise<FlowExplorationReport> {
  const { seeds = seedsDefault, from = 1, faults: kinds = survivableFaults, onRun } = options;
  for (const [name, value, least] of [
    ["seeds", seeds, 1],
    ["from", from, 0],
  ] as const) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new QStreamError("OPTION_INVALID", `${name} is ${value}`, { advice: `Give a whole number from ${least} on` });
  }
  const startedAt = performance.now();
  const sums = { tasks: 0, faults: 0 };
  let violation: FlowViolation | undefined;
  let done = 0;
  for (let seed = from; seed < from + seeds && violation === undefined; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const { report, broken } = await runOnce(flow, args, options, { seed, faults: kinds });
    done++;
    sums.tasks += report.tasks;
    sums.faults += Object.values(report.faults).reduce((sum, count) => sum + count, 0);
    onRun?.(report);
    // oxlint-disable-next-line no-await-in-loop -- the last one
    if (broken !== undefined) violation = await shrinkFaults(flow, args, options, { seed, broken, report });
  }
  return { seeds: done, ...sums, elapsedMs: performance.now() - startedAt, violation };
}

interface Run<Outs> {
  readonly report: SimulationReport<Outs>;
  readonly broken: Broken | undefined;
}

async function runOnce<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: FlowExplorationOptions<Outs>,
  drawn: { readonly seed: number; readonly faults: readonly FaultKind[] },
): Promise<Run<Outs>> {
  const { seeds: _seeds, from: _from, always = {}, never = {}, atEnd = {}, onRun: _onRun, ...simulated } = options;
  let last: Pick<LiveOperators, "tasks" | "nowMs"> = { tasks: 0, nowMs: 0 };
  const onTask = (operators: LiveOperators): void => {
    last = operators;
    for (const [name, check] of Object.entries(always)) look("always", name, () => check(operators), operators);
    for (const [name, check] of Object.entries(never)) look("never", name, () => check(operators), operators);
  };
  const report = await simulate(flow, args, { ...simulated, ...drawn, onTask, traceLines: linesShown });
  const { error, outputs } = report;
  if (error instanceof Broken) return { report, broken: error };
  if (error !== undefined) {
    const isExcused = error instanceof QStreamError && excusedErrors(report.faults).includes(error.code);
    const broken = new Broken("eventually", succeeds, error.message, last);
    return { report, broken: isExcused ? undefined : broken };
  }
  try {
    for (const [name, check] of Object.entries(atEnd)) {
      if (outputs !== undefined) look("eventually", name, () => check(outputs), last);
    }
  } catch (thrown) {
    return { report, broken: thrown as Broken };
  }
  return { report, broken: undefined };
}

function look(
  kind: FlowViolation["kind"],
  name: string,
  check: () => boolean | string | undefined | void,
  at: Pick<LiveOperators, "tasks" | "nowMs">,
): void {
  let found: boolean | string | undefined | void;
  try {
    found = check();
  } catch (error) {
    throw Object.assign(new Broken(kind, name, error instanceof Error ? error.message : String(error), at), {
      cause: error,
    });
  }
  const holds = kind === "never" ? found === undefined || found === false : found === undefined || found === true;
  if (!holds)
    throw new Broken(
      kind,
      name,
      typeof found === "string" ? found : kind === "never" ? "it did" : "it doesn't hold",
      at,
    );
}

/** The same seed with as few kinds of faults as it takes to break the same. */
async function shrinkFaults<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: FlowExplorationOptions<Outs>,
  found: { readonly seed: number; readonly broken: Broken; readonly report: SimulationReport<Outs> },
): Promise<FlowViolation> {
  const { seed } = found;
  let { broken, report } = found;
  const kinds = options.faults ?? survivableFaults;
  const faults = await minimize(kinds, async (some) => {
    const run = await runOnce(flow, args, options, { seed, faults: some });
    if (run.broken?.invariant !== found.broken.invariant) return false;
    ({ broken, report } = { broken: run.broken, report: run.report });
    return true;
  });
  const { invariant, kind, task, atMs, message, cause } = broken;
  const head = kind === "never" ? `"${invariant}" happens` : `"${invariant}" doesn't hold`;
  const struck = faults.length === 0 ? "without faults" : `with faults: ${faults.join(", ")}`;
  const text = [
    `${head}, at task ${task} of seed ${seed} of ${flow.name}, ${struck}`,
    `  ${message}`,
    "",
    report.trace.toString(),
    "",
    `to see it again: exploreFlow with the same options, seeds: 1, from: ${seed}, faults: ${JSON.stringify(faults)}`,
  ].join("\n");
  const error = cause instanceof Error ? { error: cause } : {};
  return { invariant, kind, message, seed, faults, task, atMs, text, ...error };
}
