import type { OperatorDefinition } from "../core/contracts/operator.ts";
import type { Key, PartitionFunction } from "../core/contracts/partition.ts";
import type { KeySelector } from "../core/key.ts";
import { hash, broadcast } from "../partition/index.ts";
import { broadcastJoin, type BroadcastJoinKind } from "../../operators/broadcast-join.ts";
import { cogroup, type CogroupOptions } from "../../operators/cogroup.ts";
import { hashJoin, type HashJoinOptions } from "../../operators/hash-join.ts";
import type { Joined, JoinKind, JoinOptions } from "../../operators/join/options.ts";
import { foldByKey, mergeByKey, partialReduceByKey, reduceByKey, type Keyed } from "../../operators/reduce-by-key.ts";
import { symmetricJoin } from "../../operators/symmetric-join.ts";
import { union } from "../../operators/union.ts";
import { zip, type ZipOptions } from "../../operators/zip.ts";
import { nodeOf, operatorNode, type Input } from "./make-step.ts";
import type { QStream } from "./qstream.ts";
import { StreamFunctions } from "./stream-functions.ts";
import { checkOwnOptions, partOptions } from "./step-options.ts";
import type { ApplyOptions, StepOptions } from "./stream-types.ts";

/** Options of `reduceByKey` and `foldByKey` beside its functions. */
export interface ReduceByKeyOptions<V> extends StepOptions {
  /** Makes one value of two parts of a key's objects. With it, objects are reduced before they are exchanged, too. */
  readonly merge?: (a: V, b: V) => V;
}

/**
 * The built-in operators, as methods. Each is a definition from `operators/` with the partition functions that it needs;
 * `apply` takes the same definitions with others.
 */
export abstract class StreamOperators<out T> extends StreamFunctions<T> {
  /**
   * Makes one value of all objects of a key, and gives them when the input has ended.
   *
   * @param key - the key of an object
   * @param init - the value of a key before its first object
   * @param reduce - the value after one more object; it may change the old one in place
   * @param options - `merge` turns on pre-aggregation before the exchange
   * @example
   * words.reduceByKey("count", (word) => word, () => 0, (n) => n + 1, { merge: (a, b) => a + b })
   */
  reduceByKey<K extends Key, V>(
    id: string,
    key: (object: T) => K,
    init: (key: K) => V,
    reduce: (value: V, object: T) => V,
    options: ReduceByKeyOptions<V> = {},
  ): QStream<Keyed<K, V>> {
    const { own, step } = partOptions("reduceByKey", options);
    const { merge } = own;
    if (merge === undefined) {
      return this.operator(id, { in: this.partition(hash(key)) }, reduceByKey<T, K, V>({ key, init, reduce }), step);
    }
    const parts = this.operator<Keyed<K, V>>(
      `${id} (partial)`,
      { in: this },
      partialReduceByKey<T, K, V>({ key, init, reduce, merge }),
      {},
    );
    return this.operator(
      id,
      { in: parts.partition(hash((part: Keyed<K, V>) => part.key)) },
      mergeByKey<K, V>({ merge }),
      step,
    );
  }

  /**
   * Carries a value for each key through its objects, in the order in which they come.
   *
   * @param options - `emit`: `final` (default) gives each key's last value at the end, `updates` the value after every object
   */
  foldByKey<K extends Key, V>(
    id: string,
    key: (object: T) => K,
    init: (key: K) => V,
    fold: (value: V, object: T) => V,
    options: StepOptions & { readonly emit?: "final" | "updates" } = {},
  ): QStream<Keyed<K, V>> {
    const { own, step } = partOptions("foldByKey", options);
    const { emit = "final" } = own;
    return this.operator(id, { in: this.partition(hash(key)) }, foldByKey<T, K, V>({ key, init, fold, emit }), step);
  }

  /** All objects of this stream and of others, in no promised order. */
  union<U extends readonly unknown[]>(
    id: string,
    ...others: { readonly [K in keyof U]: Input<U[K]> }
  ): QStream<T | U[number]> {
    const inputs: Record<string, Input<unknown>> = { "0": this };
    (others as readonly Input<unknown>[]).forEach((other, index) => {
      inputs[`${index + 1}`] = other;
    });
    return this.operator(id, inputs, union<Record<string, unknown>>(), {});
  }

  /**
   * Pairs the objects of two streams in the order in which they come; ends with the shorter one. Order is kept only where a
   * stream has one channel all the way.
   */
  zip<R, Out = readonly [T, R]>(
    id: string,
    other: Input<R>,
    options: ZipOptions<T, R, Out> & StepOptions = {},
  ): QStream<Out> {
    const { own, step } = partOptions("zip", options);
    return this.operator(id, { left: this, right: other }, zip<T, R, Out>(own as ZipOptions<T, R, Out>), step);
  }

  /**
   * Joins by keys: the right side is read to its end and kept, then the left side is looked up in it.
   *
   * @param options - `left` and `right` name the keys; `how`: inner (default), left, right, full, semi, anti; `combine`
   * @example
   * flights.join("with-airport", airports, { left: "origin", right: "iata" })
   */
  join<
    R,
    const How extends JoinKind = "inner",
    const LeftKeys extends KeySelector<T> = KeySelector<T>,
    const RightKeys extends KeySelector<R> = KeySelector<R>,
    const Suffix extends string = "_2",
    Out = Joined<T, R, How, LeftKeys, RightKeys, Suffix>,
  >(
    id: string,
    right: Input<R>,
    options: HashJoinOptions<T, R, How, Out, LeftKeys, RightKeys, Suffix>,
    step: StepOptions = {},
  ): QStream<Out> {
    checkOwnOptions("join", options);
    return this.operator(id, this.#byKeys(right, options), hashJoin(options), step);
  }

  /** Joins as objects come, without waiting for either side to end: both sides are kept. */
  streamingJoin<
    R,
    const How extends JoinKind = "inner",
    const LeftKeys extends KeySelector<T> = KeySelector<T>,
    const RightKeys extends KeySelector<R> = KeySelector<R>,
    const Suffix extends string = "_2",
    Out = Joined<T, R, How, LeftKeys, RightKeys, Suffix>,
  >(
    id: string,
    right: Input<R>,
    options: JoinOptions<T, R, How, Out, LeftKeys, RightKeys, Suffix>,
    step: StepOptions = {},
  ): QStream<Out> {
    checkOwnOptions("streamingJoin", options);
    return this.operator(id, this.#byKeys(right, options), symmetricJoin(options), step);
  }

  /** Joins with a small right side that every channel gets a copy of, so that the left side stays where it is. */
  broadcastJoin<
    R,
    const How extends BroadcastJoinKind = "inner",
    const LeftKeys extends KeySelector<T> = KeySelector<T>,
    const RightKeys extends KeySelector<R> = KeySelector<R>,
    const Suffix extends string = "_2",
    Out = Joined<T, R, How, LeftKeys, RightKeys, Suffix>,
  >(
    id: string,
    right: Input<R>,
    options: JoinOptions<T, R, How, Out, LeftKeys, RightKeys, Suffix>,
    step: StepOptions = {},
  ): QStream<Out> {
    checkOwnOptions("broadcastJoin", options);
    return this.operator(id, { left: this, right: partitionedBy(right, broadcast()) }, broadcastJoin(options), step);
  }

  /** Groups two streams by key, and combines the groups of equal keys once both have ended. */
  cogroup<R, Out>(
    id: string,
    right: Input<R>,
    options: CogroupOptions<T, R, Out>,
    step: StepOptions = {},
  ): QStream<Out> {
    checkOwnOptions("cogroup", options);
    return this.operator(id, this.#byKeys(right, options), cogroup<T, R, Out>(options), step);
  }

  /** @internal Adds an operator with the inputs given. */
  protected operator<Out>(
    id: string,
    inputs: Readonly<Record<string, unknown>>,
    // oxlint-disable-next-line typescript/no-explicit-any -- its inputs are checked by the method that calls this
    definition: OperatorDefinition<any, any>,
    options: ApplyOptions<string>,
  ): QStream<Out> {
    const step = operatorNode(this.graph, id, inputs, definition, options);
    return this.stream<Out>({ step, port: "out", functions: undefined });
  }

  #byKeys(
    right: Input<unknown>,
    keys: { readonly left: unknown; readonly right: unknown },
  ): Readonly<Record<string, unknown>> {
    return {
      left: partitionedBy(this, hash(keys.left as never)),
      right: partitionedBy(right, hash(keys.right as never)),
    };
  }
}

/** An input with a partition function; one that has its own keeps it. */
export function partitionedBy(input: Input<unknown>, partition: PartitionFunction<never>): Input<unknown> {
  const parts = input[nodeOf];
  return parts.partition === undefined ? { [nodeOf]: { ...parts, partition } } : input;
}
