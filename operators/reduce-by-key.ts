import type { Context } from "../lib/core/contracts/context.ts";
import type {
  Declares,
  Incremental,
  Many,
  Operator,
  OperatorDefinition,
  Stateful,
  Task,
} from "../lib/core/contracts/operator.ts";
import type { Key } from "../lib/core/contracts/partition.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { dealEntries, KeyedValues, type Reduction } from "./reduce-by-key/keyed-values.ts";
import { dealParts, mergingParts, PartialReduction, type PartialState } from "./reduce-by-key/partial-reduction.ts";
import { refuseBatch } from "./reduce-by-key/refuse-batch.ts";

/** A key and the value that was made of its objects. */
export interface Keyed<out K, out V> {
  readonly key: K;
  readonly value: V;
}

/** How objects of equal keys become one value. */
export interface ReduceOptions<T, K extends Key, V> {
  /** The key of an object. */
  readonly key: (object: T) => K;
  /** The value of a key before its first object. Makes a new one at each call: `reduce` may change it in place. */
  readonly init: (key: K) => V;
  /** The value after one more object. */
  readonly reduce: (value: V, object: T) => V;
  /**
   * What the result depends on. `confluent` unless told: then `reduce` must give the same whatever the order of a key's
   * objects, as sums of whole numbers, counts and maxima do. Sums of fractions don't.
   */
  readonly declares?: Declares;
}

/** `ReduceOptions` of a reduction that can be made in parts, which are merged. */
export interface PartialReduceOptions<T, K extends Key, V> extends ReduceOptions<T, K, V> {
  /** One value of two parts of a key's objects. */
  readonly merge: (a: V, b: V) => V;
  /** Keys that are held before they are handed on. Default: 65,536. */
  readonly keysMax?: number;
}

const ofReductions = { key: true, init: true, reduce: true, declares: true } as const;
const reduceOptionNames = namesOf<ReduceOptions<unknown, Key, unknown>>(ofReductions);
const partialOptionNames = namesOf<PartialReduceOptions<unknown, Key, unknown>>({
  ...ofReductions,
  merge: true,
  keysMax: true,
});

type In<T> = { in: T };

/**
 * Makes one value of all objects of a key; gives them when the input has ended. The step's channels must get objects by the
 * hash of the same key.
 *
 * @returns the definition of an operator with the input `in`
 * @throws QStreamError LIMIT_EXCEEDED for more than 16 million keys in one channel
 * @example
 * words.partition(hash((word) => word)).apply("count", reduceByKey({ key: (word) => word, init: () => 0, reduce: (n) => n + 1 }))
 */
export function reduceByKey<T, K extends Key, V>(
  options: ReduceOptions<T, K, V>,
): OperatorDefinition<In<T>, Keyed<K, V>> {
  checkOptionNames("reduceByKey()", options, reduceOptionNames);
  return {
    kind: "reduce-by-key",
    declares: options.declares ?? "confluent",
    parallelism: "per-slot",
    representations: ["objects"],
    create: () => new ReduceByKey<T, K, V>(options),
    deal: dealEntries,
    keys: { in: options.key },
  };
}

/**
 * The first half of a reduction in two: reduces in each channel before objects are sent by key, and hands parts on when it
 * holds `keysMax` keys and at the end. Where keys hardly repeat it stops looking for them, and tries again later.
 * `mergeByKey` is the second half.
 */
export function partialReduceByKey<T, K extends Key, V>(
  options: PartialReduceOptions<T, K, V>,
): OperatorDefinition<In<T>, Keyed<K, V>> {
  checkOptionNames("partialReduceByKey()", options, partialOptionNames);
  return {
    kind: "partial-reduce-by-key",
    ...(options.keysMax === undefined ? {} : { options: { keysMax: options.keysMax } }),
    declares: options.declares ?? "confluent",
    parallelism: "same",
    representations: ["objects"],
    create: () => new PartialReduction<T, K, V>(options),
    deal: (states: readonly PartialState<K, V>[], deal) => dealParts(states, options.merge, deal),
  };
}

/** The second half of a reduction in two: merges the parts of each key. Its channels must get them by the hash of `key`. */
export function mergeByKey<K extends Key, V>(
  options: Pick<PartialReduceOptions<never, K, V>, "merge" | "declares">,
): OperatorDefinition<In<Keyed<K, V>>, Keyed<K, V>> {
  // Those of the first half may come along.
  checkOptionNames("mergeByKey()", options, partialOptionNames);
  const reduction = mergingParts<K, V>(options.merge);
  return {
    kind: "merge-by-key",
    declares: options.declares ?? "confluent",
    parallelism: "per-slot",
    representations: ["objects"],
    create: () => new ReduceByKey<Keyed<K, V>, K, V>(reduction),
    deal: dealEntries,
    keys: { in: reduction.key },
  };
}

class ReduceByKey<T, K extends Key, V>
  implements Operator<In<T>, Keyed<K, V>>, Stateful<readonly Keyed<K, V>[]>, Incremental<readonly Keyed<K, V>[]>
{
  readonly #values: KeyedValues<T, K, V>;

  constructor(reduction: Reduction<T, K, V>) {
    this.#values = new KeyedValues(reduction);
  }

  execute({ objects }: Task<In<T>>): void {
    refuseBatch(objects[0]);
    this.#values.add(objects);
  }

  done(): Many<Keyed<K, V>> {
    return this.#values.takeEach();
  }

  snapshot(): readonly Keyed<K, V>[] {
    return this.#values.watchedEntries();
  }

  restore(entries: readonly Keyed<K, V>[]): void {
    this.#values.restore(entries);
  }

  changes(): readonly Keyed<K, V>[] {
    return this.#values.changes();
  }

  apply(changes: readonly Keyed<K, V>[]): void {
    this.#values.apply(changes);
  }
}

/** How a value is carried along through the objects of a key. */
export interface FoldOptions<T, K extends Key, V> {
  readonly key: (object: T) => K;
  readonly init: (key: K) => V;
  /** The value after one more object, in the order in which they come. With `emit: "updates"` a new one, never changed in place. */
  readonly fold: (value: V, object: T) => V;
  /** `final` (default): each key's last value, at the end. `updates`: the key's value after every object, at once. */
  readonly emit?: "final" | "updates";
}

const foldOptionNames = namesOf<FoldOptions<unknown, Key, unknown>>({ key: true, init: true, fold: true, emit: true });

/**
 * Carries a value for each key through its objects, in the order in which they come. The step's channels must get objects by
 * the hash of the same key.
 *
 * @example
 * payments.partition(hash("account")).apply("balances", foldByKey({
 *   key: (payment) => payment.account, init: () => 0, fold: (sum, payment) => sum + payment.cents, emit: "updates" }))
 */
export function foldByKey<T, K extends Key, V>(options: FoldOptions<T, K, V>): OperatorDefinition<In<T>, Keyed<K, V>> {
  checkOptionNames("foldByKey()", options, foldOptionNames);
  const { key, init, fold, emit = "final" } = options;
  const reduction = { key, init, reduce: fold };
  return {
    kind: "fold-by-key",
    options: { emit },
    declares: "order-sensitive",
    parallelism: "per-slot",
    representations: ["objects"],
    create: () => (emit === "final" ? new ReduceByKey<T, K, V>(reduction) : new RunningFold<T, K, V>(reduction)),
    deal: dealEntries,
    keys: { in: key },
  };
}

class RunningFold<T, K extends Key, V>
  implements Operator<In<T>, Keyed<K, V>>, Stateful<readonly Keyed<K, V>[]>, Incremental<readonly Keyed<K, V>[]>
{
  readonly #values: KeyedValues<T, K, V>;

  constructor(reduction: Reduction<T, K, V>) {
    this.#values = new KeyedValues(reduction);
  }

  execute({ objects }: Task<In<T>>, _ctx: Context): readonly Keyed<K, V>[] {
    refuseBatch(objects[0]);
    return this.#values.update(objects);
  }

  snapshot(): readonly Keyed<K, V>[] {
    return this.#values.watchedEntries();
  }

  restore(entries: readonly Keyed<K, V>[]): void {
    this.#values.restore(entries);
  }

  changes(): readonly Keyed<K, V>[] {
    return this.#values.changes();
  }

  apply(changes: readonly Keyed<K, V>[]): void {
    this.#values.apply(changes);
  }
}
