import { loadedBatches, representationOf } from "../lib/core/batch/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { Operator, OperatorDefinition, Stateful, Task } from "../lib/core/contracts/operator.ts";
import { invariant, QStreamError } from "../lib/core/errors.ts";

/**
 * Passes the first `n` objects on, or rows of columnar batches, and then stops, which stops what produces them. Which ones
 * come first is not promised. In one channel; `partialLimit` before it keeps what has to be sent there small. `limit(0)`
 * passes nothing, and stops when the first objects come.
 *
 * @throws QStreamError OPTION_INVALID for an `n` that isn't a whole number, zero or more
 * @example lines.apply("ten", limit(10))
 */
export function limit<T>(n: number): OperatorDefinition<{ in: T }, T> {
  return definition(n, "limit", "single");
}

/** The first half of `limit` in two: each channel passes `n` on. `limit` itself is the second half. */
export function partialLimit<T>(n: number): OperatorDefinition<{ in: T }, T> {
  return {
    ...definition<T>(n, "partial-limit", "same"),
    // What the channels before have passed counts for one of those that take over: together they still pass `n`.
    deal: (states: readonly { readonly left: number }[], { takesRest }) => ({
      left: takesRest ? Math.min(n, ...states.map(({ left }) => left)) : n,
    }),
  };
}

function definition<T>(n: number, kind: string, parallelism: "single" | "same"): OperatorDefinition<{ in: T }, T> {
  if (!Number.isSafeInteger(n) || n < 0) {
    throw new QStreamError("OPTION_INVALID", `a limit can't be ${n}`, { advice: "Give a whole number, zero or more." });
  }
  return {
    kind,
    options: { n },
    declares: "arbitrary-choice",
    parallelism,
    representations: ["objects", "arrow", "polars"],
    endsEarly: true,
    create: () => new Limit<T>(n),
  };
}

class Limit<T> implements Operator<{ in: T }, T>, Stateful<{ left: number }> {
  #left: number;

  constructor(n: number) {
    this.#left = n;
  }

  execute({ objects }: Task<{ in: T }>, ctx: Context): readonly T[] {
    const passed = representationOf(objects[0]) === undefined ? this.#objects(objects) : this.#batches(objects);
    if (this.#left === 0) ctx.stop();
    return passed;
  }

  snapshot(): { left: number } {
    return { left: this.#left };
  }

  restore({ left }: { left: number }): void {
    this.#left = left;
  }

  #objects(objects: readonly T[]): readonly T[] {
    const passed = objects.length <= this.#left ? objects : objects.slice(0, this.#left);
    this.#left -= passed.length;
    return passed;
  }

  #batches(batches: readonly T[]): readonly T[] {
    const support = loadedBatches();
    invariant(support !== undefined, "the support for batches is loaded before a task that holds one");
    const passed: T[] = [];
    for (const batch of batches) {
      const rows = support.rows(batch);
      if (this.#left === 0 || rows === 0) continue;
      passed.push(rows <= this.#left ? batch : (support.slice(batch, 0, this.#left) as T));
      this.#left -= Math.min(rows, this.#left);
    }
    return passed;
  }
}
