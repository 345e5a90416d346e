import type { Outputs } from "../../lib/core/contracts/operator.ts";
import { watchUnfrozen } from "../../lib/core/deep-freeze.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { readOnlyAdvice } from "./failure.ts";

/** Executes a task whose objects are frozen already, and fails if what can't be frozen of them was changed by its end. */
export function watched(objects: readonly unknown[], execute: () => Outputs<unknown>): Outputs<unknown> {
  const changed = watchUnfrozen(objects);
  const check = (): void => {
    const what = changed();
    if (what === undefined) return;
    throw new QStreamError("STEP_FAILED", `an operator changed its input: ${what} of it isn't what it was`, {
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
