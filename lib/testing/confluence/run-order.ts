import { loadBatches, loadedBatches, representationOf } from "../../core/batch/index.ts";
import { QStreamError } from "../../core/errors.ts";
import { ChannelRun } from "./channel-run.ts";
import { definitionOf, type AnyDefinition, type Order, type OrderOutcome, type OrderStep } from "./order.ts";
import type { OperatorToCheck } from "./order.ts";
import { Outside } from "./outside.ts";

/**
 * Runs an operator by hand, on inputs in one order: `checkConfluence` prints the two orders that it found to differ as calls of
 * this. Objects are frozen, as with `strict`, so an operator that changes them fails.
 *
 * @param operator - a definition, or a factory
 * @returns what its channels gave; of columnar batches, their rows
 * @throws what the operator throws; QStreamError OPTION_INVALID for no operator and for steps of channels or inputs that there
 * aren't, DEADLOCK where it accepts nothing of what is left
 * @example
 * const steps = [{ kind: "take", input: "in", objects: [1, 2] }] as const;
 * assert.deepEqual(await runInOrder(() => new Sum(), { steps }), [3]);
 */
export async function runInOrder<Inputs, Out>(
  operator: OperatorToCheck<Inputs, Out>,
  order: Order,
): Promise<readonly unknown[]> {
  const definition = definitionOf(operator);
  if (definition === undefined) throw noOperator("runInOrder");
  checkOrder(order);
  const { outputs, error } = await outcomeOf(definition, order);
  if (error !== undefined) throw error;
  return outputs ?? [];
}

export function noOperator(what: string): QStreamError {
  return new QStreamError("OPTION_INVALID", `${what} got no operator`, {
    advice: "Give a definition, or a factory: () => new MyOperator()",
  });
}

function checkOrder({ steps, channels = 1, inputs }: Order): void {
  for (const step of steps) {
    const { channel = 0 } = step;
    if (!(Number.isInteger(channel) && channel >= 0 && channel < channels)) {
      throw new QStreamError("OPTION_INVALID", `a step is of channel ${channel}, and there are ${channels}`, {
        advice: "Channels count from 0: give the order more of them",
      });
    }
    if (!("input" in step) || inputs === undefined || inputs.includes(step.input)) continue;
    throw new QStreamError("OPTION_INVALID", `a step is of input "${step.input}", which isn't among the order's`, {
      advice: `Its inputs are: ${inputs.join(", ")}`,
    });
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Runs an order to its end, whatever becomes of it; one at a time, as all see one clock outside. */
export function outcomeOf(definition: AnyDefinition, order: Order): Promise<OrderOutcome> {
  const outcome = last.then(() => outcomeAlone(definition, order));
  last = outcome;
  return outcome;
}

async function outcomeAlone(definition: AnyDefinition, order: Order): Promise<OrderOutcome> {
  const outputs: unknown[] = [];
  try {
    await run(definition, order, outputs);
    return { outputs: await asRows(outputs), error: undefined };
  } catch (error) {
    return { outputs: undefined, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function run(definition: AnyDefinition, order: Order, outputs: unknown[]): Promise<void> {
  const { steps, channels = 1, startMs = 0, outsideSeed = 1 } = order;
  const named = steps.flatMap((step) => ("input" in step ? [step.input] : []));
  const inputs = order.inputs ?? [...new Set(named)];
  if (steps.some((step) => step.kind === "take" && hasBatch(step.objects))) await loadBatches();
  const outside = new Outside(outsideSeed);
  const give = (object: unknown): unknown => outputs.push(object);
  const runs: ChannelRun[] = [];
  try {
    for (let channel = 0; channel < channels; channel++) {
      const one = new ChannelRun({ definition, channel, channels, inputs, startMs, outside, give });
      runs.push(one);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await one.open();
    }
    await takeAll(runs, steps);
  } finally {
    for (const one of runs) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await one.close();
    }
  }
}

/** Takes the first step that can be taken, over and over; where none can, an input ends of which nothing is left. */
async function takeAll(runs: readonly ChannelRun[], steps: readonly OrderStep[]): Promise<void> {
  const left = [...steps];
  while (runs.some((run) => !run.over)) {
    const at = left.findIndex((step) => isPossible(runs, step, left));
    if (at >= 0) {
      const [step] = left.splice(at, 1);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      if (step !== undefined) await takeStep(runs[step.channel ?? 0] as ChannelRun, step);
      continue;
    }
    const ending = nextToEnd(runs, left);
    if (ending === undefined) {
      throw new QStreamError("DEADLOCK", "the operator accepts none of what is left of its inputs", {
        advice: "accepts(input) has to be true for one of those that haven't ended",
      });
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await ending.run.end(ending.input);
  }
}

function isPossible(runs: readonly ChannelRun[], step: OrderStep, left: readonly OrderStep[]): boolean {
  const { channel = 0 } = step;
  const run = runs[channel] as ChannelRun;
  if (run.over) return true;
  if (step.kind === "take") return isNext(step, left) && run.takes(step.input);
  if (step.kind === "end") return !isLeft(left, channel, step.input);
  // Such a step stands where it stands among its channel's own.
  return left.find((other) => (other.channel ?? 0) === channel) === step;
}

/** Tasks of one input keep their order, also where one of them was put off. */
function isNext(step: OrderStep & { readonly kind: "take" }, left: readonly OrderStep[]): boolean {
  const { channel = 0, input } = step;
  return left.find((other) => isTake(other, channel, input)) === step;
}

function isTake(step: OrderStep, channel: number, input: string): boolean {
  return step.kind === "take" && (step.channel ?? 0) === channel && step.input === input;
}

function isLeft(left: readonly OrderStep[], channel: number, input: string): boolean {
  return left.some((step) => isTake(step, channel, input));
}

async function takeStep(run: ChannelRun, step: OrderStep): Promise<void> {
  switch (step.kind) {
    case "take":
      return run.take(step.input, step.objects, step.afterMs ?? 0);
    case "end":
      return run.end(step.input);
    case "save":
      return run.save();
    case "restart":
      return run.restart();
  }
}

function nextToEnd(
  runs: readonly ChannelRun[],
  left: readonly OrderStep[],
): { readonly run: ChannelRun; readonly input: string } | undefined {
  for (const [channel, run] of runs.entries()) {
    if (run.over) continue;
    const ended = run.openInputs.filter((input) => !isLeft(left, channel, input));
    const [input] = ended.toSorted((one, other) => run.stageOf(one) - run.stageOf(other));
    if (input !== undefined) return { run, input };
  }
  return undefined;
}

function hasBatch(objects: readonly unknown[]): boolean {
  return objects.some((object) => representationOf(object) !== undefined);
}

async function asRows(outputs: readonly unknown[]): Promise<readonly unknown[]> {
  if (!hasBatch(outputs)) return outputs;
  const support = loadedBatches() ?? (await loadBatches());
  return outputs.flatMap((output) => (representationOf(output) === undefined ? [output] : support.toObjects(output)));
}
