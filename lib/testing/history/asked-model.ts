import { QStreamError } from "../../core/errors.ts";
import type { MaybeResult, Model } from "./model.ts";
import { operationText, short, valueText } from "./value-text.ts";

// What a model says, with HISTORY_INVALID for what none can say: users write models, and operations that they don't know.

const advice =
  "Look whether the model knows every kind of operation that was recorded: `step` gives an array of states";

/** Refuses what is no model: HISTORY_INVALID. */
export function checkModel(model: unknown): void {
  const { step } = (typeof model === "object" && model !== null ? model : {}) as Partial<
    Model<unknown, unknown, unknown>
  >;
  if (typeof step === "function") return;
  throw new QStreamError("HISTORY_INVALID", "the model has no step", {
    advice: "Give a Model, as registerModel(0) makes one: { init, step }",
  });
}

/** The states after an operation. */
export function statesAfter<State, Operation, Result>(
  model: Model<State, Operation, Result>,
  state: State,
  operation: Operation,
  result: MaybeResult<Result>,
): readonly State[] {
  let states: unknown;
  try {
    states = model.step(state, operation, result);
  } catch (thrown) {
    throw failed("step", operation, thrown);
  }
  if (Array.isArray(states)) return states as readonly State[];
  const given = typeof states === "function" ? "a function" : short(valueText(states));
  const what = `step of the model gives ${given} for ${short(operationText(operation))}, and no array of states`;
  throw new QStreamError("HISTORY_INVALID", what, { advice });
}

/** Whether the operation is a read, as the model says. */
export function isReadOf<State, Operation, Result>(
  model: Model<State, Operation, Result>,
  operation: Operation,
  result: MaybeResult<Result>,
): boolean {
  try {
    return model.isRead?.(operation, result) === true;
  } catch (thrown) {
    throw failed("isRead", operation, thrown);
  }
}

/** The part of the system that an operation is about. */
export function partitionOf<State, Operation, Result>(
  model: Model<State, Operation, Result>,
  operation: Operation,
): string | undefined {
  try {
    return model.partition?.(operation);
  } catch (thrown) {
    throw failed("partition", operation, thrown);
  }
}

function failed(what: string, operation: unknown, thrown: unknown): unknown {
  if (thrown instanceof QStreamError) return thrown;
  const { message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const text = `${what} of the model failed at ${short(operationText(operation))}: ${message}`;
  return new QStreamError("HISTORY_INVALID", text, { advice, cause: thrown });
}
