import { tellOfHistories } from "../../shared-histories.ts";
import type { Exploration } from "../exploration.ts";
import type { Violation } from "../invariants.ts";
import { Show } from "../show.ts";
import type { RunTrace } from "../trace.ts";
import { TraceRecorder } from "../trace-recorder.ts";
import type { Budget } from "./choice-run.ts";
import { estimateOrders } from "./estimate-orders.ts";
import { repeatChoices } from "./repeat-choices.ts";
import { searchAll, type ChoiceMade, type Reduction, type SearchOptions, type SearchResult } from "./search.ts";

/** How all orders are tried. */
export interface ExhaustiveOptions {
  /** Messages between machines that get lost in one execution, at most. Default: 1 where `faults` has `loss`. */
  readonly losses?: number;
  /** Messages that come twice, at most. Default: 1 where `faults` has `duplicate`. */
  readonly repeats?: number;
  /** Machines that crash, at most. Default: what `faults` has for `crashes`. */
  readonly crashes?: number;
  /** Transitions of one execution at most: a message, a timer, or a fault each. Default 200. */
  readonly depth?: number;
  /** Executions at most, with those that are given up. Default 100,000. */
  readonly executions?: number;
  /**
   * How orders are left out: of those that neither actors nor checks can tell apart one is tried (`races`, the default), or what follows
   * from a state that was met before isn't tried again (`states`), or none are (`none`).
   */
  readonly reduction?: Reduction;
}

/** What became of a search through all orders. */
export interface ExhaustiveReport {
  readonly executions: number;
  /** Executions that were given up as they would have repeated others. */
  readonly redundant: number;
  /** Different states that were met; undefined where states can't be compared, as of actors that wait for an answer, or were too many. */
  readonly states: number | undefined;
  /** How many orders there are in all, about. */
  readonly orders: number;
  /**
   * True if all was tried that actors, or what has to hold, could tell from what was: no execution was cut off, and there were no more
   * than `executions`. What actors share besides messages, names, topics, disks and histories isn't seen.
   */
  readonly isExhausted: boolean;
  /** Executions that were cut off: at the depth, or, with `states`, where they went round in a circle while an `eventually` was open. */
  readonly cut: number;
}

/** An execution that breaks a promise. */
export interface FoundExecution {
  readonly violation: Violation;
  readonly choices: readonly ChoiceMade[];
  readonly options: ExhaustiveOptions;
  readonly trace: RunTrace;
  readonly machines: number;
}

export interface ExploredAll {
  readonly report: ExhaustiveReport;
  readonly steps: number;
  /** Messages and timers that actors were handed. */
  readonly handled: number;
  readonly found: FoundExecution | undefined;
}

const depthDefault = 200;
const executionsDefault = 100_000;
// Executions that are tried for a shorter one that breaks the same promise.
const shorterMost = 5000;

export function exploreAll<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions,
  machines: number | undefined,
  onExecution?: (executions: number) => void,
): Promise<ExploredAll> {
  return endingHistories(() => explored(exploration, options, machines, onExecution));
}

async function explored<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions,
  machines: number | undefined,
  onExecution: ((executions: number) => void) | undefined,
): Promise<ExploredAll> {
  const search: SearchOptions = { ...searchOptionsOf(exploration, options, machines), onExecution };
  const result = await searchAll(exploration, search);
  const orders = await estimateOrders(exploration, search);
  const { executions, redundant, states, isExhausted, cut, steps, handled } = result;
  const report = { executions, redundant, states, orders, isExhausted, cut };
  if (result.violation === undefined) return { report, steps, handled, found: undefined };
  const shortest = await shorten(exploration, search, result.violation);
  return { report, steps, handled, found: await shown(exploration, shortest.choices, options, machines) };
}

/** Repeats an execution of which the choices are known. */
export function show<System>(
  exploration: Exploration<System>,
  choices: readonly ChoiceMade[],
  options: ExhaustiveOptions,
  machines: number | undefined,
): Promise<FoundExecution | undefined> {
  return endingHistories(() => shown(exploration, choices, options, machines));
}

/** Afterwards nobody listens any more to what is recorded in histories. */
async function endingHistories<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } finally {
    tellOfHistories(undefined);
  }
}

async function shown<System>(
  exploration: Exploration<System>,
  choices: readonly ChoiceMade[],
  options: ExhaustiveOptions,
  machines: number | undefined,
): Promise<FoundExecution | undefined> {
  const recorder = new TraceRecorder(new Show(exploration.options.show));
  const budget = budgetOf(exploration, options);
  const run = await repeatChoices(exploration, choices, { budget, machines, recorder });
  const { violation } = run;
  if (violation === undefined) return undefined;
  const { invariant, kind, message, step } = violation;
  const { lines, steps } = recorder;
  const trace = { title: exploration.name, seed: 0, lines, steps, violation: { invariant, kind, message, step } };
  return { violation, choices, options, trace, machines: run.world.machines.length };
}

function searchOptionsOf<System>(
  exploration: Exploration<System>,
  options: ExhaustiveOptions,
  machines: number | undefined,
): SearchOptions {
  const { depth = depthDefault, executions = executionsDefault, reduction = "races" } = options;
  return { budget: budgetOf(exploration, options), depth, executions, reduction, machines };
}

function budgetOf<System>({ options: { faults = {} } }: Exploration<System>, options: ExhaustiveOptions): Budget {
  const { loss = 0, duplicate = 0, crashes } = faults;
  return {
    losses: options.losses ?? (loss > 0 ? 1 : 0),
    repeats: options.repeats ?? (duplicate > 0 ? 1 : 0),
    crashes: options.crashes ?? (crashes === undefined ? 0 : (crashes.most ?? 1)),
  };
}

type Breaking = NonNullable<SearchResult["violation"]>;

/** Looks for executions with fewer choices that break the same promise, until there are none. */
async function shorten<System>(
  exploration: Exploration<System>,
  search: SearchOptions,
  found: Breaking,
): Promise<Breaking> {
  let best = found;
  let left = shorterMost;
  // What has to come to hold is judged where nothing is left to do, and so not where an execution is cut off.
  while (best.violation.kind !== "eventually" && best.choices.length > 1 && left > 0) {
    const shorter = { ...search, depth: best.choices.length - 1, executions: left, onExecution: undefined };
    // oxlint-disable-next-line no-await-in-loop -- each decides on the next
    const { violation, executions, redundant } = await searchAll(exploration, shorter);
    left -= executions + redundant;
    if (violation?.violation.invariant !== best.violation.invariant) break;
    best = violation;
  }
  return best;
}
