import type { Outputs } from "../../lib/core/contracts/operator.ts";
import { deepFreeze, watchUnfrozen } from "../../lib/core/deep-freeze.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { readOnlyAdvice } from "./failure.ts";

/**
 * Executes a task with its objects frozen, and fails if what can't be frozen of them was changed by its end.
 *
 * @param who - who executes, for the message: "an operator", "a sink", `map "shape"`
 */
export function watched(who: string, objects: readonly unknown[], execute: () => Outputs<unknown>): Outputs<unknown> {
  // What came over a link is frozen by now, but not what functions on the edge made of it.
  deepFreeze(objects);
  const changed = watchUnfrozen(objects);
  const check = (): void => {
    const what = changed();
    if (what === undefined) return;
    throw new QStreamError("STEP_FAILED", `${who} changed its input: ${what} of it isn't what it was`, {
      advice: readOnlyAdvice,
    });
  };
  const result = execute();
  if (result instanceof Promise) {
    return result.then((settled) => {
      check();
      return settled;
    });
  }
  if (typeof result === "object" && result !== null && !Array.isArray(result)) {
    if (Symbol.asyncIterator in result) return untilAsyncEnd(result, check);
    if (Symbol.iterator in result) return untilEnd(result, check);
  }
  check();
  return result;
}

function* untilEnd(objects: Iterable<unknown>, check: () => void): Generator<unknown, void> {
  yield* objects;
  check();
}

async function* untilAsyncEnd(objects: AsyncIterable<unknown>, check: () => void): AsyncGenerator<unknown, void> {
  yield* objects;
  check();
}
