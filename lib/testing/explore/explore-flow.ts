import { QStreamError } from "../../core/errors.ts";
import type { Flow } from "../../flow/define-flow.ts";
import {
  excusedErrors,
  simulate,
  survivableFaults,
  type FaultKind,
  type LiveOperators,
  type SimulationReport,
} from "../simulation/index.ts";
import { checkFlowExploreOptions } from "./check-flow-explore-options.ts";
import type { FlowExploration } from "./flow-exploration.ts";
import { headOf } from "./found-violation.ts";
import type { Violation } from "./invariants.ts";
import { minimize } from "./minimize.ts";
import { commandOfFlow } from "./repeating-command.ts";
import { uncheckedFlow } from "./warnings.ts";

export interface FlowExploreOptions<Outs = Record<string, unknown>> {
  /** How many seeds. Default 100. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** Only these kinds of faults strike, instead of the exploration's. */
  readonly onlyFaults?: readonly FaultKind[];
  /** How commands name the exploration, as `path#export`. Default: it is looked for in its module. */
  readonly path?: string;
  /** Whether kinds of faults are left out that a violation doesn't take. Default true. */
  readonly shrinks?: boolean;
  /** Called after each seed. */
  readonly onRun?: (report: SimulationReport<Outs>) => void;
}

/** What a flow broke in a simulated run. */
export interface FlowViolation extends Omit<Violation, "step"> {
  readonly seed: number;
  /** Kinds of faults that it takes. */
  readonly faults: readonly FaultKind[];
  /** Tasks that had begun. */
  readonly task: number;
  /** Repeats the run. */
  readonly command: string;
  /** All of it for people, with the last lines of what happened. */
  readonly text: string;
}

export interface FlowExplorationReport {
  readonly name: string;
  /** Seeds that ran: all, or those up to the first violation. */
  readonly seeds: number;
  readonly tasks: number;
  /** Faults that struck. */
  readonly faults: number;
  /** Milliseconds of real time, without those that a violation was made small in. */
  readonly elapsedMs: number;
  readonly violation: FlowViolation | undefined;
  /** What makes that nothing was found worth less than it seems. */
  readonly warnings: readonly string[];
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

const linesShown = 40;
const succeeds = "the execution succeeds";

/** Runs an exploration of a flow with many seeds, up to the first violation. */
export async function findInFlow<Outs>(
  exploration: FlowExploration<Outs>,
  options: FlowExploreOptions<Outs>,
): Promise<FlowExplorationReport> {
  checkFlowExploreOptions(exploration, options);
  const { name, options: explored } = exploration;
  const { seeds = 100, from = 1, onlyFaults: faults = explored.faults ?? survivableFaults, onRun } = options;
  const startedAt = performance.now();
  const sums = { tasks: 0, faults: 0 };
  let found: Found<Outs> | undefined;
  let done = 0;
  for (let seed = from; seed < from + seeds && found === undefined; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const { report, broken } = await runOnce(exploration, { seed, faults });
    done++;
    sums.tasks += report.tasks;
    sums.faults += Object.values(report.faults).reduce((sum, count) => sum + count, 0);
    onRun?.(report);
    if (broken !== undefined) found = { seed, faults, report, broken };
  }
  const elapsedMs = performance.now() - startedAt;
  const violation = found === undefined ? undefined : await showFound(exploration, found, options);
  return { name, seeds: done, ...sums, elapsedMs, violation, warnings: uncheckedFlow(name, explored) };
}

type AnyFlow = Flow<object, Record<string, unknown>>;

interface Run<Outs> {
  readonly report: SimulationReport<Outs>;
  readonly broken: Broken | undefined;
}

/** A run that broke something, and the kinds of faults that might have struck. */
interface Found<Outs> {
  readonly seed: number;
  readonly faults: readonly FaultKind[];
  readonly report: SimulationReport<Outs>;
  readonly broken: Broken;
}

async function runOnce<Outs>(
  exploration: FlowExploration<Outs>,
  drawn: { readonly seed: number; readonly faults: readonly FaultKind[] },
): Promise<Run<Outs>> {
  const { name: _name, flow, args = {}, always = {}, never = {}, atEnd = {}, ...simulated } = exploration.options;
  let last: Pick<LiveOperators, "tasks" | "nowMs"> = { tasks: 0, nowMs: 0 };
  const onTask = (operators: LiveOperators): void => {
    last = operators;
    for (const [name, check] of Object.entries(always)) look("always", name, () => check(operators), operators);
    for (const [name, check] of Object.entries(never)) look("never", name, () => check(operators), operators);
  };
  const settings = { ...simulated, ...drawn, onTask, traceLines: linesShown };
  const report = (await simulate(flow as unknown as AnyFlow, args, settings)) as SimulationReport<Outs>;
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

/** What was found, with as few kinds of faults as it takes. */
async function showFound<Outs>(
  exploration: FlowExploration<Outs>,
  found: Found<Outs>,
  { shrinks = true, onlyFaults, path }: FlowExploreOptions<Outs>,
): Promise<FlowViolation> {
  const { faults: given, seed, broken, report } = shrinks ? await shrinkFaults(exploration, found) : found;
  const faults = given.filter((kind) => report.faults[kind] !== undefined);
  const named = shrinks ? given : onlyFaults;
  const command = await commandOfFlow(exploration, seed, named, path);
  const { invariant, kind, task, atMs, message, cause } = broken;
  const struck = faults.length === 0 ? "without faults" : `with faults: ${faults.join(", ")}`;
  const text = [
    `${headOf(broken)}, at task ${task} of seed ${seed} of ${exploration.name}, ${struck}`,
    `  ${message}`,
    "",
    report.trace.toString(),
    "",
    `repeat it: ${command}`,
  ].join("\n");
  const error = cause instanceof Error ? { error: cause } : {};
  return { invariant, kind, message, seed, faults, task, atMs, command, text, ...error };
}

/** The same seed with as few kinds of faults as it takes to break the same. */
async function shrinkFaults<Outs>(exploration: FlowExploration<Outs>, found: Found<Outs>): Promise<Found<Outs>> {
  const { seed } = found;
  let smallest = found;
  await minimize(found.faults, async (faults) => {
    const { broken, report } = await runOnce(exploration, { seed, faults });
    if (broken?.invariant !== found.broken.invariant) return false;
    smallest = { seed, faults, broken, report };
    return true;
  });
  return smallest;
}
