import { unknownResult, type Model } from "./model.ts";
import { sameValue } from "./value-text.ts";

/** What a register does. A read's result is the value; that of a compare-and-set is whether it has set; that of a write isn't looked at. */
export type RegisterOperation<Value> =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: Value }
  | { readonly kind: "compare-and-set"; readonly expected: Value; readonly value: Value };

/**
 * One value that is read, written, and set where it is what one expects.
 *
 * @param initial - the value before anything is written
 * @example
 * const report = checkLinearizable(history, registerModel(0));
 */
export function registerModel<Value>(initial: Value): Model<Value, RegisterOperation<Value>, unknown> {
  return {
    init: initial,
    step(state, operation, result) {
      switch (operation.kind) {
        case "read":
          return result === unknownResult || sameValue(result, state) ? [state] : [];
        case "write":
          return [operation.value];
        case "compare-and-set": {
          const sets = sameValue(state, operation.expected);
          if (result !== unknownResult && result !== sets) return [];
          return [sets ? operation.value : state];
        }
      }
    },
    isRead: ({ kind }, result) => kind === "read" || (kind === "compare-and-set" && result === false),
  };
}
