import { QStreamError } from "../../core/errors.ts";
import { unknownResult, type Model } from "./model.ts";
import { operationText, sameValue } from "./value-text.ts";

/** What a queue does. A dequeue's result is the value, or undefined or null where the queue is empty. */
export type QueueOperation<Value> = { readonly kind: "enqueue"; readonly value: Value } | { readonly kind: "dequeue" };

/**
 * A queue: first in, first out, without a bound.
 *
 * @example
 * const report = checkLinearizable(history, queueModel<string>());
 */
export function queueModel<Value>(): Model<readonly Value[], QueueOperation<Value>, unknown> {
  return {
    init: [],
    step(state, operation, result) {
      if (operation.kind === "enqueue") {
        if (operation.value === undefined || operation.value === null) throw noValue();
        return [[...state, operation.value]];
      }
      if (operation.kind !== "dequeue") return unknownKind(operation);
      if (state.length === 0) return result === unknownResult || result === undefined || result === null ? [state] : [];
      return result === unknownResult || sameValue(result, state[0]) ? [state.slice(1)] : [];
    },
    isRead: ({ kind }, result) => kind === "dequeue" && (result === undefined || result === null),
  };
}

function unknownKind(operation: never): never {
  throw new QStreamError("HISTORY_INVALID", `a queue has no operation ${operationText(operation)}`, {
    advice: "Record operations of the kinds enqueue and dequeue",
  });
}

function noValue(): QStreamError {
  return new QStreamError(
    "HISTORY_INVALID",
    "a queue is given null or undefined, by which a dequeue says that it is empty",
    {
      advice: "Enqueue other values",
    },
  );
}
