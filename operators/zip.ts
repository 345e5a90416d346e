import { representationOf } from "../lib/core/batch/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { Operator, OperatorDefinition, Outputs, Task } from "../lib/core/contracts/operator.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** Options of `zip`. */
export interface ZipOptions<L, R, Out> {
  /** Makes the result of a pair. Default: `[left, right]`. */
  readonly combine?: (left: L, right: R) => Out;
  /** Makes it an error (BAD_INPUT) that one side has more objects than the other. Default: zip ends at the shorter. */
  readonly strict?: boolean;
}

type Side = "left" | "right";

/** The state of a zip: what waits for its partner. */
export interface ZipState<L, R> {
  readonly left: readonly L[];
  readonly right: readonly R[];
  readonly ended: readonly Side[];
}

/** The names of its options. */
export const zipOptionNames: readonly string[] = namesOf<ZipOptions<unknown, unknown, unknown>>({
  combine: true,
  strict: true,
});

/**
 * Pairs the objects of two streams by their places: first with first, second with second. Inputs are `left` and `right`, each
 * of one channel so that it has an order. The side that is ahead is held back until the other has caught up.
 *
 * @param options - `combine` and `strict`
 * @returns the operator, on one channel; its result depends on the order within each side
 * @example
 * zip<string, number>(); // ["a", 1], ["b", 2], ...
 * zip({ combine: (name: string, age: number) => ({ name, age }), strict: true });
 */
export function zip<L, R, Out = readonly [L, R]>(
  options: ZipOptions<L, R, Out> = {},
): OperatorDefinition<{ left: L; right: R }, Out, ZipState<L, R>> {
  checkOptionNames("zip()", options, zipOptionNames);
  const { combine, strict = false } = options;
  return {
    kind: "zip",
    options: { strict, combine: combine === undefined ? undefined : "function" },
    declares: "order-sensitive",
    endsEarly: !strict,
    parallelism: "single",
    representations: ["objects"],
    mayBlock: true,
    create: () => new Zip<L, R, Out>(combine ?? ((left, right) => [left, right] as Out), strict),
  };
}

class Zip<L, R, Out> implements Operator<{ left: L; right: R }, Out, ZipState<L, R>> {
  readonly #combine: (left: L, right: R) => Out;
  readonly #strict: boolean;
  /** Objects that wait for their partners: at any time those of one side at most. */
  #left: readonly L[] = [];
  #right: readonly R[] = [];
  readonly #ended = new Set<Side>();

  constructor(combine: (left: L, right: R) => Out, strict: boolean) {
    this.#combine = combine;
    this.#strict = strict;
  }

  readonly accepts = (input: string): boolean => (input === "left" ? this.#left : this.#right).length === 0;

  execute({ input, objects }: Task<{ left: L; right: R }>, ctx: Context): Outputs<Out> {
    refuseBatch(objects[0], input);
    if (input === "left") this.#left = this.#left.length === 0 ? objects : [...this.#left, ...objects];
    else this.#right = this.#right.length === 0 ? objects : [...this.#right, ...objects];
    const pairs = this.#pairs();
    this.#stopIfShorter(ctx);
    return pairs;
  }

  inputDone(input: string, ctx: Context): Outputs<Out> {
    this.#ended.add(input as Side);
    this.#stopIfShorter(ctx);
    return undefined;
  }

  snapshot(): ZipState<L, R> {
    return { left: this.#left.slice(), right: this.#right.slice(), ended: [...this.#ended] };
  }

  restore(state: ZipState<L, R>): void {
    this.#left = state.left;
    this.#right = state.right;
    for (const side of state.ended) this.#ended.add(side);
  }

  #pairs(): Out[] {
    const count = Math.min(this.#left.length, this.#right.length);
    const pairs: Out[] = [];
    for (let place = 0; place < count; place++)
      pairs.push(this.#combine(this.#left[place] as L, this.#right[place] as R));
    this.#left = this.#left.slice(count);
    this.#right = this.#right.slice(count);
    return pairs;
  }

  /** A side that has ended and is used up ends the pairs; in strict mode the other may have nothing more either. */
  #stopIfShorter(ctx: Context): void {
    for (const side of this.#ended) {
      const own = side === "left" ? this.#left : this.#right;
      const other = side === "left" ? this.#right : this.#left;
      if (own.length > 0) continue;
      if (!this.#strict) ctx.stop();
      else if (other.length > 0) throw longer(side === "left" ? "right" : "left", side);
    }
  }
}

function longer(longerSide: Side, shorterSide: Side): QStreamError {
  return new QStreamError("BAD_INPUT", `zip: the ${longerSide} side has more objects than the ${shorterSide}`, {
    input: longerSide,
    advice: "Leave out strict to end at the shorter side.",
  });
}

function refuseBatch(object: unknown, input: string): void {
  if (representationOf(object) === undefined) return;
  throw new QStreamError("UNSUPPORTED", "zip pairs objects, not columnar batches", {
    input,
    advice: "Convert the stream to objects first, or join on a column that numbers the rows.",
  });
}
