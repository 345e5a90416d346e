import type { Deal, Operator, Stateful, Task } from "../../lib/core/contracts/operator.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Keyed, PartialReduceOptions } from "../reduce-by-key.ts";
import { KeyedValues, keysLimit, type Reduction } from "./keyed-values.ts";
import { refuseBatch } from "./refuse-batch.ts";

const keysMaxDefault = 1 << 16;
/** Keys that don't repeat more often than this (distinct keys by objects) aren't worth being looked up. */
const hardlyRepeating = 0.75;
/** Tables' worth of objects that pass before keys are looked up again. */
const passedTables = 16;

/** The state of the first half of a reduction. */
export interface PartialState<K, V> {
  readonly entries: readonly Keyed<K, V>[];
  readonly taken: number;
  readonly passing: number;
}

type In<T> = { in: T };

/** Puts several states into one, wherever their keys may be: before the exchange, any channel may have any key. */
export function dealParts<K extends Key, V>(
  states: readonly PartialState<K, V>[],
  merge: (a: V, b: V) => V,
  { takesRest }: Deal,
): PartialState<K, V> {
  const values = new KeyedValues<Keyed<K, V>, K, V>(mergingParts(merge));
  const taken = takesRest ? states : [];
  for (const { entries } of taken) values.add(entries);
  return {
    entries: values.take(),
    taken: taken.reduce((sum, state) => sum + state.taken, 0),
    passing: taken.reduce((most, state) => Math.max(most, state.passing), 0),
  };
}

/** How parts of keys become one value of each. */
export function mergingParts<K extends Key, V>(merge: (a: V, b: V) => V): Reduction<Keyed<K, V>, K, V> {
  return {
    key: (part) => part.key,
    first: (_, part) => part.value,
    reduce: (value, part) => merge(value, part.value),
  };
}

/** Reduces before the exchange, while that makes fewer objects of many. What it does is decided by its objects alone. */
export class PartialReduction<T, K extends Key, V>
  implements Operator<In<T>, Keyed<K, V>>, Stateful<PartialState<K, V>>
{
  readonly #values: KeyedValues<T, K, V>;
  readonly #keysMax: number;
  /** Objects taken since the table was empty. */
  #taken = 0;
  /** Objects that still pass without being looked up. */
  #passing = 0;

  constructor({ key, init, reduce, keysMax = keysMaxDefault }: PartialReduceOptions<T, K, V>) {
    if (!Number.isInteger(keysMax) || keysMax < 1 || keysMax > keysLimit) {
      throw new QStreamError("OPTION_INVALID", `keysMax can't be ${keysMax}`, {
        advice: `Give a whole number from 1 to ${keysLimit}.`,
      });
    }
    this.#values = new KeyedValues({ key, init, reduce });
    this.#keysMax = keysMax;
  }

  execute({ objects }: Task<In<T>>): readonly Keyed<K, V>[] | undefined {
    refuseBatch(objects[0]);
    let out: Keyed<K, V>[] | undefined;
    let at = 0;
    while (at < objects.length) {
      if (this.#passing > 0) {
        const to = Math.min(objects.length, at + this.#passing);
        out = append(out, this.#values.single(objects, at, to));
        this.#passing -= to - at;
        at = to;
        continue;
      }
      // The limit only stops where one more key comes, so that a table that just fits is never handed on early.
      const to = this.#values.add(objects, at, this.#keysMax);
      this.#taken += to - at;
      at = to;
      if (at < objects.length) out = append(out, this.#flush());
    }
    return out;
  }

  done(): readonly Keyed<K, V>[] {
    return this.#values.take();
  }

  snapshot(): PartialState<K, V> {
    return { entries: this.#values.entries(), taken: this.#taken, passing: this.#passing };
  }

  restore({ entries, taken, passing }: PartialState<K, V>): void {
    this.#values.restore(entries);
    this.#taken = taken;
    this.#passing = passing;
  }

  #flush(): Keyed<K, V>[] {
    if (this.#values.size > hardlyRepeating * this.#taken) this.#passing = passedTables * this.#keysMax;
    this.#taken = 0;
    return this.#values.take();
  }
}

function append<T>(out: T[] | undefined, more: T[]): T[] {
  if (out === undefined) return more;
  for (const object of more) out.push(object);
  return out;
}
