import type { Batch } from "../core/batch-types.ts";
import type { Many, ObjectIn } from "../core/contracts/operator.ts";
import type { PartitionFunction } from "../core/contracts/partition.ts";
import type { EdgeFunction } from "../core/program.ts";
import { batching, filtering, flatMapping, framing, mapping, tapping } from "./functions.ts";
import type { Graph, StreamNode } from "./graph.ts";
import { nodeOf, type Input, type InputParts } from "./make-step.ts";
import { checkPartition } from "./partition-wanted.ts";
import type { PartitionedStream } from "./partitioned-stream.ts";
import type { QStream } from "./qstream.ts";
import type { FunctionContext } from "./stream-types.ts";

/**
 * The functions that ride on an edge: they have no actor and no state, and run in the producer, fused into loops over the
 * objects of a parcel.
 */
export abstract class StreamFunctions<out T> implements Input<T> {
  declare readonly objectType?: T | undefined;
  /** @internal */
  protected readonly graph: Graph;
  /** @internal */
  protected readonly node: StreamNode;

  /** @internal */
  constructor(graph: Graph, node: StreamNode) {
    this.graph = graph;
    this.node = node;
  }

  /** @internal */
  get [nodeOf](): InputParts {
    return { graph: this.graph, from: this.node, partition: undefined, after: [] };
  }

  /** @internal */
  protected abstract stream<U>(node: StreamNode): QStream<U>;

  /** @internal */
  protected abstract partitioned(partition: PartitionFunction<never>): PartitionedStream<T>;

  /**
   * Chooses how objects go to the channels of the next step. What follows on the result runs in the consumer.
   *
   * @throws QStreamError OPTION_INVALID for what is no partition function
   */
  partition(partition: PartitionFunction<T>): PartitionedStream<T> {
    checkPartition(this.node.step.id, partition);
    return this.partitioned(partition as PartitionFunction<never>);
  }

  /**
   * Makes one object of each.
   *
   * @example
   * numbers.map("square", (n) => n * n)
   */
  map<U>(id: string, f: (object: T, ctx: FunctionContext) => U): QStream<U> {
    return this.#with(id, "map", mapping(id, f as never));
  }

  /** Keeps the objects for which `f` answers true; a type predicate narrows the stream. */
  filter<U extends T>(id: string, f: (object: T, ctx: FunctionContext) => object is U): QStream<U>;
  filter(id: string, f: (object: T, ctx: FunctionContext) => unknown): QStream<T>;
  filter(id: string, f: (object: T, ctx: FunctionContext) => unknown): QStream<T> {
    return this.#with(id, "filter", filtering(id, f as never));
  }

  /**
   * Makes any number of objects of each: `f` returns an array, a generator, or another iterable but a string.
   *
   * @example
   * lines.flatMap("words", (line) => line.split(" "))
   */
  flatMap<I extends Many<unknown>>(id: string, f: (object: T, ctx: FunctionContext) => I): QStream<ObjectIn<I>> {
    return this.#with(id, "flatMap", flatMapping(id, f as never));
  }

  /** Looks at each object, and passes it on. */
  tap(id: string, f: (object: T, ctx: FunctionContext) => void): QStream<T> {
    return this.#with(id, "tap", tapping(id, f as never));
  }

  /**
   * Takes all objects of a parcel at once and makes any number of others. How objects are cut into parcels isn't promised,
   * so the result should not depend on it.
   */
  mapParcels<U>(id: string, f: (objects: readonly T[], ctx: FunctionContext) => readonly U[]): QStream<U> {
    return this.#with(id, "mapParcels", batching(id, f as never));
  }

  /**
   * Makes one columnar batch of each: a function over Arrow tables or Polars frames.
   *
   * @example
   * frames.frame("long", (frame) => frame.filter(pl.col("distance").gt(1000)))
   */
  frame<U extends Batch<never> | object>(id: string, f: (batch: T, ctx: FunctionContext) => U): QStream<U> {
    return this.#with(id, "frame", framing(id, f as never));
  }

  #with<U>(id: string, kind: string, apply: EdgeFunction["apply"]): QStream<U> {
    this.graph.claim(id);
    return this.stream<U>({ ...this.node, functions: { id, kind, apply, previous: this.node.functions } });
  }
}
