import type { OperatorDefinition } from "../../core/contracts/operator.ts";
import { referenceOf, type Flow } from "../../flow/define-flow.ts";
import { QStreamError } from "../../core/errors.ts";
import { checkOptionNames, namesOf, nearestWord } from "../../core/option-names.ts";
import { checkConfluence } from "./check-confluence.ts";
import type { ConfluenceReport } from "./checking.ts";
import type { SpecCode } from "./print-spec.ts";
import { sourceText } from "./source-text.ts";
import { operatorSteps, recordFlow, type OperatorStep } from "./recorded-flow.ts";

export interface CheckFlowOptions {
  /** How many orders of each operator. Default 100. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly from?: number;
  /** Only this step. */
  readonly step?: string;
  /** Objects that are taken of each input of an operator at most, from an ordinary run. Default 30. */
  readonly objectsMax?: number;
  /** Milliseconds after which that run is stopped, where it isn't done by then. Default 10,000. */
  readonly withinMs?: number;
  /** How a printed spec comes to the flow, and to the operator of a step. Default: by the flow's module, if it is its default export. */
  readonly code?: (step: string) => SpecCode;
  /** The command that repeats a seed of a step. */
  readonly command?: (step: string, seed: number) => string;
  /** Called after each step. */
  readonly onStep?: (checked: CheckedStep) => void;
}

/** What became of one operator of a flow. */
export interface CheckedStep {
  readonly step: string;
  /** What it is: "hash-join". */
  readonly what: string;
  /** Objects that it was checked with. */
  readonly objects: number;
  /** Set for a loop, which isn't checked: what it takes depends on what all of its channels gave. */
  readonly isLoop?: true;
  /** Undefined where it got no objects, and for a loop. */
  readonly report: ConfluenceReport | undefined;
}

const optionNames = namesOf<CheckFlowOptions>({
  code: true,
  command: true,
  from: true,
  objectsMax: true,
  onStep: true,
  seeds: true,
  step: true,
  withinMs: true,
});

const objectsDefault = 30;
const withinDefaultMs = 10_000;

/**
 * Runs a flow once, in this thread and without its sinks, and checks each of its operators by `checkConfluence` with what it was
 * given, by what its step declares.
 *
 * @throws what the run throws; QStreamError OPTION_INVALID
 * @example
 * for (const { report } of await checkFlow(flow, {})) assert.equal(report?.counterExample, undefined);
 */
export async function checkFlow<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: CheckFlowOptions = {},
): Promise<readonly CheckedStep[]> {
  checkOptionNames("checkFlow()", options, optionNames);
  const { seeds, from, step: only, objectsMax = objectsDefault, withinMs = withinDefaultMs } = options;
  const wrong = Object.entries({ objectsMax, withinMs }).find(([, value]) => !(Number.isInteger(value) && value >= 1));
  if (wrong !== undefined)
    throw new QStreamError("OPTION_INVALID", `${wrong[0]}: ${wrong[1]} is no whole number from 1`);
  if (only !== undefined) find(await operatorSteps(flow, args), only);
  const steps = await recordFlow(flow, args, { objectsMax, withinMs });
  const checked: CheckedStep[] = [];
  for (const step of steps) {
    const { id, what, definition, inputs, partitions, channels } = step;
    if (only !== undefined && id !== only) continue;
    const objects = Object.values(inputs).reduce((sum, list) => sum + list.length, 0);
    const code = options.code?.(id) ?? codeOf(flow, args, id);
    const { command } = options;
    const report =
      objects === 0
        ? undefined
        : // oxlint-disable-next-line no-await-in-loop -- one after the other
          await checkConfluence<Record<string, unknown>, unknown>(definition, inputs, {
            ...(seeds === undefined ? {} : { seeds }),
            ...(from === undefined ? {} : { from }),
            partitions,
            channels,
            name: id,
            code,
            command: (seed) =>
              command?.(id, seed) ?? `checkFlow(..., { seeds: 1, from: ${seed}, step: ${JSON.stringify(id)} })`,
          });
    const one = { step: id, what, objects, report, ...(step.isLoop === true ? { isLoop: step.isLoop } : {}) };
    checked.push(one);
    options.onStep?.(one);
  }
  return checked;
}

/**
 * The operator of a step, as the flow's builder made it: for specs that `qstream check` prints.
 *
 * @throws QStreamError OPTION_INVALID where the flow has no such operator
 * @example
 * const operator = await operatorOf(flow, {}, "sums");
 */
export async function operatorOf<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  step: string,
  // oxlint-disable-next-line typescript/no-explicit-any -- steps are named as text
): Promise<OperatorDefinition<any, unknown>> {
  return find(await operatorSteps(flow, args), step).definition;
}

function find(steps: readonly OperatorStep[], id: string): OperatorStep {
  const ids = steps.map((step) => step.id);
  const found = steps.find((step) => step.id === id);
  if (found !== undefined) return found;
  const nearest = nearestWord(id, ids);
  throw new QStreamError("OPTION_INVALID", `the flow has no operator "${id}"`, {
    advice: nearest === undefined ? `It has: ${ids.join(", ") || "none"}` : `Did you mean "${nearest}"?`,
  });
}

function codeOf(flow: object, args: object, step: string): SpecCode {
  const module = referenceOf(flow)?.module ?? "";
  return flowCode(module, "default", args, step);
}

/** How a printed spec comes to a step of a flow that a module exports. */
export function flowCode(module: string, name: string, args: object, step: string): SpecCode {
  const flow = name === "default" ? "flow" : `{ ${name} as flow }`;
  return {
    imports: `import { operatorOf } from "qstream/testing";\nimport ${flow} from ${JSON.stringify(module)};`,
    operator: `await operatorOf(flow, ${sourceText(args)}, ${JSON.stringify(step)})`,
  };
}
