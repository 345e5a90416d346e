import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf } from "../../core/option-names.ts";
import { checkModule } from "./check-exploration.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { LiveOperators, SimulationOptions } from "../simulation/index.ts";

/** Says whether something holds; false, a text, or an error that is thrown, is that it doesn't. For `never` the other way round. */
export type FlowCheck = (operators: LiveOperators) => boolean | string | undefined | void;

type GivenArgs<Args> = object extends Args ? { readonly args?: Args } : { readonly args: Args };

export interface FlowPromises<Outs> extends Omit<SimulationOptions, "seed" | "traceLines" | "onTask"> {
  /** What people call it. Default: the name of the flow. */
  readonly name?: string;
  /** What holds before each task and behind each turn of a channel, of the operators as they are then. */
  readonly always?: Readonly<Record<string, FlowCheck>>;
  /** What doesn't, at any of these times. */
  readonly never?: Readonly<Record<string, FlowCheck>>;
  /** What holds of the outputs of a run. */
  readonly atEnd?: Readonly<Record<string, (outputs: Outs) => boolean | string | undefined | void>>;
}

/** Which flow is explored, in which simulated worlds, and what has to hold. `faults` are all that a flow survives unless told. */
export type FlowExplorationOptions<Args extends object, Outs extends Record<string, unknown>> = FlowPromises<Outs> & {
  readonly flow: Flow<Args, Outs>;
} & GivenArgs<Args>;

/** An exploration of a flow, as `defineFlowExploration` makes it. */
export interface FlowExploration<Outs = Record<string, unknown>> {
  readonly name: string;
  /** URL of the module that has it. */
  readonly module: string;
  readonly options: FlowPromises<Outs> & { readonly flow: { readonly name: string }; readonly args?: object };
}

const names = namesOf<FlowExplorationOptions<object, Record<string, unknown>>>({
  name: true,
  flow: true,
  args: true,
  always: true,
  never: true,
  atEnd: true,
  faults: true,
  faultsWithinMs: true,
  faultsMax: true,
  slots: true,
  machines: true,
  store: true,
  checkpointEveryMs: true,
  wholeCheckpoints: true,
  attempts: true,
  limits: true,
  atOnce: true,
  taskMs: true,
  rescales: true,
  rebalances: true,
  strict: true,
  verifyReplay: true,
  leaseMs: true,
  finishWithinMs: true,
  invariants: true,
});

const made = new WeakSet<object>();

/**
 * Defines what is explored of a flow: it runs in simulated worlds, in which faults strike, and what has to hold of its operators and of its
 * outputs is checked. `explore` runs it, and so does `qstream explore MODULE` where a module exports it.
 *
 * @param module - `import.meta.url` of the module, for the command that repeats a violation
 * @throws QStreamError OPTION_INVALID
 * @example
 * export default defineFlowExploration(import.meta.url, {
 *   flow: totals,
 *   args: { upTo: 100 },
 *   always: { "no total is negative": (operators) => operators.of<Totals>("totals").every(({ operator }) => operator.least >= 0) },
 *   atEnd: { "all are counted": ({ counts }) => counts.length === 26 },
 * });
 */
export function defineFlowExploration<Args extends object, Outs extends Record<string, unknown>>(
  module: string,
  options: FlowExplorationOptions<Args, Outs>,
): FlowExploration<Outs> {
  checkModule("defineFlowExploration", module);
  checkOptionNames("defineFlowExploration()", options, names);
  if (!isFlow(options.flow)) {
    throw new QStreamError("OPTION_INVALID", "the exploration has no `flow`", {
      advice: "Give it what defineFlow(import.meta.url, (q, args) => ...) returns",
    });
  }
  for (const kind of ["always", "never", "atEnd"] as const) {
    const wrong = Object.entries(options[kind] ?? {}).find(([, check]) => typeof check !== "function");
    if (wrong === undefined) continue;
    throw new QStreamError("OPTION_INVALID", `${kind} "${wrong[0]}" is no function`, {
      advice: `Give what is called with the ${kind === "atEnd" ? "outputs" : "operators"}, and says whether it holds`,
    });
  }
  const exploration: FlowExploration<Outs> = { name: options.name ?? options.flow.name, module, options };
  made.add(exploration);
  return exploration;
}

/**
 * True for what `defineFlowExploration` made, also in another copy of this package.
 *
 * @internal for the command line
 */
export function isFlowExploration(value: unknown): value is FlowExploration<never> {
  if (typeof value !== "object" || value === null) return false;
  if (made.has(value)) return true;
  const { module, options } = value as Partial<FlowExploration>;
  return typeof module === "string" && typeof options === "object" && isFlow(options.flow);
}

function isFlow(value: unknown): boolean {
  const flow = value as Partial<Flow<never, never>> | undefined;
  return typeof flow?.run === "function" && typeof flow.explain === "function";
}
