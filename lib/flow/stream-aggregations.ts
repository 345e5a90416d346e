import {
  mergeAggregates,
  partialAggregate,
  type AggregatesOf,
  type Aggregated,
  type AggregateOptions,
  type AggregateState,
} from "../../operators/aggregate.ts";
import type { ColumnsIn } from "../core/batch-types.ts";
import { mergeCounts, partialCount } from "../../operators/count.ts";
import { distinct, structuralKey, type DistinctOptions } from "../../operators/distinct.ts";
import { limit, partialLimit } from "../../operators/limit.ts";
import { sort, type SortOptions } from "../../operators/sort.ts";
import { partialTopK, topK, type TopKOptions } from "../../operators/top-k.ts";
import { hash, hashWhole } from "../partition/index.ts";
import type { QStream } from "./qstream.ts";
import { StreamOperators } from "./stream-operators.ts";
import { checkOwnOptions, partOptions } from "./step-options.ts";
import type { StepOptions } from "./stream-types.ts";

/**
 * Operators that make few objects of many. Where a result can be made in parts, each channel makes its own first, in a step
 * named `id (partial)`.
 */
export abstract class StreamAggregations<out T> extends StreamOperators<T> {
  /**
   * Aggregates by columns or properties: one object for each group, at the end; without `by`, one for the whole stream. Takes
   * plain objects and batches, and gives what it takes.
   *
   * @example
   * flights.aggregate("delays", { by: "origin", aggregates: { flights: count(), delay: mean("delay") } })
   */
  aggregate<
    const By extends ColumnsIn<T> = never,
    const Aggregates extends AggregatesOf<T> = AggregatesOf<T>,
    Out = Aggregated<T, By, Aggregates>,
  >(id: string, options: AggregateOptions<T, By, Aggregates>, step: StepOptions = {}): QStream<Out> {
    checkOwnOptions("aggregate", options);
    const parts = this.operator<AggregateState>(
      `${id} (partial)`,
      { in: this },
      partialAggregate<T>(options as unknown as AggregateOptions<T>),
      {},
    );
    const by = typeof options.by === "string" ? [options.by] : ((options.by ?? []) as readonly string[]);
    const input = by.length === 0 ? parts : parts.partition(hash<AggregateState>(by as never));
    return this.operator(id, { in: input }, mergeAggregates<T, By, Aggregates>(options), step);
  }

  /** Counts the objects (rows, of columnar batches): one number. */
  count(id: string): QStream<number> {
    const parts = this.operator<number>(`${id} (partial)`, { in: this }, partialCount<T>(), {});
    return this.operator(id, { in: parts }, mergeCounts(), {});
  }

  /**
   * Each object once: the first that comes of those with the same key. Without a key, objects count as equal that hold the
   * same.
   *
   * @param key - a property or column, several, or a function
   */
  distinct(id: string, key?: DistinctOptions<T>["key"], options: StepOptions = {}): QStream<T> {
    const partition = key === undefined ? hashWhole<T>(structuralKey) : hash<T>(key as never);
    const definition = distinct<T>(key === undefined ? {} : { key });
    return this.operator(id, { in: this.partition(partition) }, definition, options);
  }

  /**
   * The first `n` objects that come, whichever they are; then everything before it stops.
   *
   * @param n - how many
   */
  limit(id: string, n: number): QStream<T> {
    const parts = this.operator<T>(`${id} (partial)`, { in: this }, partialLimit<T>(n), {});
    return this.operator(id, { in: parts }, limit<T>(n), {});
  }

  /**
   * The `k` largest objects (or smallest, with `order: "ascending"`), in order.
   *
   * @example
   * counts.topK("most", 10, "value")
   */
  topK(id: string, k: number, by: TopKOptions<T>["by"], options: Pick<TopKOptions<T>, "order"> = {}): QStream<T> {
    checkOwnOptions("topK", options);
    const parts = this.operator<T>(`${id} (partial)`, { in: this }, partialTopK<T>({ k, by, ...options }), {});
    return this.operator(id, { in: parts }, topK<T>({ k, by, ...options }), {});
  }

  /**
   * All objects in order. What exceeds the memory limit is sorted in runs on disk, and merged.
   *
   * @param by - columns or properties by name, or functions; several, where the first keys are equal
   */
  sort(id: string, by: SortOptions<T>["by"], options: Omit<SortOptions<T>, "by"> & StepOptions = {}): QStream<T> {
    const { own, step } = partOptions("sort", options);
    return this.operator(id, { in: this }, sort<T>({ by, ...own }), step);
  }
}
