import type { Context } from "../lib/core/contracts/context.ts";
import type {
  Incremental,
  Operator,
  OperatorDefinition,
  Outputs,
  Stateful,
  Task,
} from "../lib/core/contracts/operator.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import type { HeldBatchesChanges, HeldBatchesState } from "./held-batches.ts";
import { describeOrder, type Direction, orderTerms, type OrderTerm, type SortKey } from "./order.ts";
import { BatchSorter } from "./sort/batch-sorter.ts";
import { ObjectSorter, type ObjectSortChanges } from "./sort/object-sorter.ts";
import { type RunState, saveAll } from "./sort/sorted-run.ts";

/** By what a stream is sorted, and when that goes to disk. */
export interface SortOptions<T> {
  /** Columns or properties by name, or functions for streams of plain objects; several, where the first keys are equal. */
  readonly by: SortKey<T> | readonly SortKey<T>[];
  /** Direction of the keys that have none of their own. Default: `ascending`. What is missing comes last both ways. */
  readonly order?: Direction;
  /** Estimated bytes of objects to hold in memory. Default: what the execution gives a channel. */
  readonly memoryBytes?: number;
}

/** The names of its options. */
export const sortOptionNames: readonly string[] = namesOf<SortOptions<unknown>>({
  by: true,
  order: true,
  memoryBytes: true,
});

/**
 * Sorts all objects of a stream, or the rows of its columnar batches. What doesn't fit in memory is sorted in runs, which go
 * to disk and are merged at the end. Text is compared by code points, numbers and bigints by value with NaN after all others.
 * The order of objects with equal keys is not promised. One channel gives one order; after a range partition, channels give
 * consecutive parts of it.
 *
 * @example flights.apply("by-delay", sort({ by: ["origin", { by: "delay", order: "descending" }] }))
 * @throws QStreamError OPTION_INVALID; LIMIT_EXCEEDED when the disk is full
 */
export function sort<T>(options: SortOptions<T>): OperatorDefinition<{ in: T }, T> {
  checkOptionNames("sort()", options, sortOptionNames);
  const { by, order = "ascending", memoryBytes } = options;
  if (memoryBytes !== undefined && !(memoryBytes > 0)) {
    throw new QStreamError("OPTION_INVALID", `sort can't hold ${memoryBytes} bytes`, {
      advice: "Give memoryBytes above zero.",
    });
  }
  const terms = orderTerms(by, order);
  return {
    kind: "sort",
    options: { by: describeOrder(terms), ...(memoryBytes === undefined ? {} : { memoryBytes }) },
    declares: "arbitrary-choice",
    parallelism: "single",
    representations: ["objects", "arrow", "polars"],
    create: () => new Sort<T>(terms, memoryBytes),
  };
}

/** The state of a sort: what it holds, and its runs as they are on disk. */
export interface SortState<T> {
  readonly objects: { readonly objects: readonly T[]; readonly bytes: number };
  readonly objectRuns: readonly RunState[];
  readonly batches: HeldBatchesState;
  readonly batchRuns: readonly RunState[];
}

/** What has changed in a sort: what came, and runs that were made. */
export interface SortChanges {
  readonly objects: ObjectSortChanges;
  readonly objectRuns: readonly RunState[];
  readonly batches: HeldBatchesChanges;
  readonly batchRuns: readonly RunState[];
}

class Sort<T> implements Operator<{ in: T }, T, SortState<T>>, Stateful<SortState<T>>, Incremental<SortChanges> {
  readonly #memoryBytes: number | undefined;
  readonly #objects: ObjectSorter<T>;
  readonly #batches: BatchSorter<T>;

  constructor(terms: readonly OrderTerm<T>[], memoryBytes: number | undefined) {
    this.#memoryBytes = memoryBytes;
    this.#objects = new ObjectSorter(terms);
    this.#batches = new BatchSorter(terms);
  }

  execute({ objects }: Task<{ in: T }>, ctx: Context): void | Promise<void> {
    const memoryBytes = this.#memoryBytes ?? ctx.memoryBytes;
    if (this.#batches.isColumnar(objects)) return this.#batches.add(objects, memoryBytes, ctx.spill);
    return this.#objects.add(objects, memoryBytes, ctx.spill);
  }

  done(ctx: Context): Outputs<T> {
    const memoryBytes = this.#memoryBytes ?? ctx.memoryBytes;
    const sorter = this.#batches.isColumnar([]) ? this.#batches : this.#objects;
    return sorter.finish(memoryBytes, ctx.spill);
  }

  /** A promise once runs are on disk, from where they have to be read. */
  snapshot(): SortState<T> | Promise<SortState<T>> {
    const held = { objects: this.#objects.held(), batches: this.#batches.held() };
    if (!this.#objects.hasRuns && !this.#batches.hasRuns) return { ...held, objectRuns: [], batchRuns: [] };
    return Promise.all([this.#objects.saveRuns(), this.#batches.saveRuns()]).then(([objectRuns, batchRuns]) => ({
      ...held,
      objectRuns,
      batchRuns,
    }));
  }

  restore({ objects, objectRuns, batches, batchRuns }: SortState<T>): void {
    this.#objects.restore(objects.objects, objects.bytes, objectRuns);
    this.#batches.restore(batches, batchRuns);
  }

  /** A promise where there are new runs on disk. */
  changes(): SortChanges | undefined | Promise<SortChanges> {
    const objectRuns = this.#objects.newRuns();
    const batchRuns = this.#batches.newRuns();
    const objects = this.#objects.changes();
    const batches = this.#batches.changes();
    if (batches === undefined) return undefined;
    if (objectRuns.length === 0 && batchRuns.length === 0) return { objects, batches, objectRuns: [], batchRuns: [] };
    return Promise.all([saveAll(objectRuns), saveAll(batchRuns)]).then((runs) => ({
      objects,
      batches,
      objectRuns: runs[0],
      batchRuns: runs[1],
    }));
  }

  apply({ objects, objectRuns, batches, batchRuns }: SortChanges): void {
    this.#objects.apply(objects, objectRuns);
    this.#batches.apply(batches, batchRuns);
  }

  async close(): Promise<void> {
    await this.#objects.close();
    await this.#batches.close();
  }
}
