import type { DataFrame } from "nodejs-polars";
import type { Deal, Operator, OperatorDefinition, Stateful, Task } from "../lib/core/contracts/operator.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { HeldBatches, type HeldBatchesState, joinedBatches } from "./held-batches.ts";
import {
  describeOrder,
  type Direction,
  KeyColumns,
  orderTerms,
  type OrderTerm,
  sorted,
  type SortKey,
} from "./order.ts";
import { sortFrame } from "./sort/sort-frame.ts";

/** Which objects, or rows of batches, come first, and how many of them are kept. */
export interface TopKOptions<T> {
  /** How many to keep. */
  readonly k: number;
  /** What is compared: columns or properties by name, or functions for streams of plain objects. */
  readonly by: SortKey<T> | readonly SortKey<T>[];
  /** `descending` (default) keeps the largest, `ascending` the smallest. What is missing comes last both ways. */
  readonly order?: Direction;
}

const topKOptionNames = namesOf<TopKOptions<unknown>>({ k: true, by: true, order: true });

/**
 * Keeps the first `k` objects of an order, or rows of columnar batches, and gives them in that order at the end. It holds
 * `k` of them. Which of several with equal keys are kept is not promised.
 *
 * @example flights.apply("latest", topK({ k: 10, by: "delay" }))
 * @throws QStreamError OPTION_INVALID for a `k` that isn't a positive whole number
 */
export function topK<T>(options: TopKOptions<T>): OperatorDefinition<{ in: T }, T> {
  return definition(options, "top-k", "single");
}

/** The first half of `topK` in two: each channel keeps the first `k` of what it gets. `topK` itself is the second half. */
export function partialTopK<T>(options: TopKOptions<T>): OperatorDefinition<{ in: T }, T> {
  return { ...definition(options, "partial-top-k", "same"), deal: dealKept };
}

/** What channels keep may be in any one of them: `k` are kept of it there. */
function dealKept<T>(states: readonly TopKState<T>[], { takesRest }: Deal): TopKState<T> {
  const taken = takesRest ? states : [];
  return {
    objects: taken.flatMap(({ objects }) => objects),
    batches: joinedBatches(taken.map(({ batches }) => batches)),
  };
}

function definition<T>(
  options: TopKOptions<T>,
  kind: string,
  parallelism: "single" | "same",
): OperatorDefinition<{ in: T }, T> {
  checkOptionNames(parallelism === "single" ? "topK()" : "partialTopK()", options, topKOptionNames);
  const { k, by, order = "descending" } = options;
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new QStreamError("OPTION_INVALID", `topK can't keep ${k} objects`, {
      advice: "Give a positive whole number as k.",
    });
  }
  const terms = orderTerms(by, order);
  return {
    kind,
    options: { k, by: describeOrder(terms) },
    declares: "arbitrary-choice",
    parallelism,
    representations: ["objects", "arrow", "polars"],
    create: () => new TopK<T>(k, terms),
  };
}

interface TopKState<T> {
  readonly objects: readonly T[];
  readonly batches: HeldBatchesState;
}

/** Rows of batches that are held beyond `k`, so that not every small batch is sorted. */
const rowsBeyond = 1 << 16;
const objectsBeyond = 1 << 12;

class TopK<T> implements Operator<{ in: T }, T>, Stateful<TopKState<T>> {
  readonly #k: number;
  readonly #terms: readonly OrderTerm<T>[];
  readonly #batches = new HeldBatches();
  #objects: T[] = [];
  /** Keys of the last object that would be kept now, once there are `k`. */
  #bar: KeyColumns<T> | undefined;

  constructor(k: number, terms: readonly OrderTerm<T>[]) {
    this.#k = k;
    this.#terms = terms;
  }

  execute({ objects }: Task<{ in: T }>): void {
    if (this.#batches.isColumnar(objects)) this.#takeBatches(objects);
    else this.#takeObjects(objects);
  }

  done(): readonly T[] | Promise<readonly T[]> {
    if (!this.#batches.isColumnar([])) {
      this.#shrink();
      return this.#objects;
    }
    const finish = (): readonly T[] => {
      const frame = this.#firstRows();
      return frame === undefined ? [] : [this.#batches.give(frame) as T];
    };
    return this.#batches.ready()?.then(finish) ?? finish();
  }

  snapshot(): TopKState<T> {
    return { objects: this.#objects, batches: this.#batches.snapshot() };
  }

  restore({ objects, batches }: TopKState<T>): void {
    this.#objects = [...objects];
    this.#batches.restore(batches);
  }

  #takeBatches(batches: readonly T[]): void {
    for (const batch of batches) {
      // Far less has to be converted and held when a batch is cut down to its own first rows at once.
      const frame = this.#batches.convert(batch);
      this.#batches.addFrame(frame.height > 2 * this.#k ? this.#first(frame) : frame);
      if (this.#batches.rows <= 2 * this.#k + rowsBeyond) continue;
      const first = this.#firstRows();
      if (first !== undefined) this.#batches.addFrame(first);
    }
  }

  #firstRows(): DataFrame | undefined {
    const frame = this.#batches.take();
    return frame === undefined ? undefined : this.#first(frame);
  }

  #first(frame: DataFrame): DataFrame {
    return sortFrame(frame, this.#terms, "topK").head(this.#k);
  }

  #takeObjects(objects: readonly T[]): void {
    const bar = this.#bar;
    if (bar === undefined) {
      for (const object of objects) this.#objects.push(object);
    } else {
      const keys = new KeyColumns(this.#terms);
      keys.push(objects);
      for (const [index, object] of objects.entries()) if (keys.compare(index, bar, 0) < 0) this.#objects.push(object);
    }
    if (this.#objects.length > 2 * this.#k + objectsBeyond) this.#shrink();
  }

  #shrink(): void {
    this.#objects = sorted(this.#objects, this.#terms).slice(0, this.#k);
    const last = this.#objects[this.#k - 1];
    if (this.#objects.length < this.#k) return;
    this.#bar = new KeyColumns(this.#terms);
    this.#bar.push([last as T]);
  }
}
