import type { Deal } from "../../lib/core/contracts/operator.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { mapKey, type MapKey } from "../../lib/core/key.ts";
import type { Keyed } from "../reduce-by-key.ts";

/** How a key's value is made. `first` stands in for `init` and the first `reduce`, where the first object is a value. */
export interface Reduction<T, K extends Key, V> {
  readonly key: (object: T) => K;
  readonly init?: (key: K) => V;
  readonly first?: (key: K, object: T) => V;
  readonly reduce: (value: V, object: T) => V;
}

/** A key's value while it changes. It is handed on as it is once nothing changes it any more. */
interface Holder<K, V> extends Keyed<K, V> {
  value: V;
}

/** The same where it is known whether the value has changed since it was last saved. */
interface WatchedHolder<K, V> extends Holder<K, V> {
  changed: boolean;
}

/** Entries that a Map of V8 can hold. */
export const keysLimit = 2 ** 24 - 1;

/** The entries of several states whose keys are taken. No two of them have the same. */
export function dealEntries<K extends Key, V>(
  states: readonly (readonly Keyed<K, V>[])[],
  { takes }: Deal,
): readonly Keyed<K, V>[] {
  return states.flatMap((entries) => entries.filter(({ key }) => takes(key)));
}

/** The values of keys: one look-up for each object. */
export class KeyedValues<T, K extends Key, V> {
  readonly #key: (object: T) => K;
  readonly #reduce: (value: V, object: T) => V;
  readonly #first: (key: K, object: T) => V;
  readonly #loop: typeof reduceAll<T, K, V>;
  #holders = new Map<MapKey, Holder<K, V>>();
  /** From the first saved state on. */
  #watch: Watch<T, K, V> | undefined;

  constructor({ key, init, first, reduce }: Reduction<T, K, V>) {
    this.#key = key;
    this.#reduce = reduce;
    if (first !== undefined) this.#first = first;
    else if (init !== undefined) this.#first = (key, object) => reduce(init(key), object);
    else
      throw new QStreamError("OPTION_INVALID", "a reduction needs the function init", {
        advice: "Give init: () => 0, say.",
      });
    this.#loop = ownCopy(reduceAll<T, K, V>);
  }

  /** How many keys have a value. */
  get size(): number {
    return this.#holders.size;
  }

  /** Takes objects `from` to before the end, or to where there are `keysMax` keys. Returns where it ended. */
  add(objects: readonly T[], from = 0, keysMax: number = keysLimit): number {
    const watch = this.#watch;
    const end =
      watch === undefined
        ? this.#loop(objects, from, keysMax, this.#holders, this.#key, this.#reduce, this.#first, mapKey)
        : watch.loop(
            objects,
            from,
            keysMax,
            watch.holders,
            this.#key,
            this.#reduce,
            this.#first,
            mapKey,
            watch.changed,
          );
    if (end < objects.length && keysMax === keysLimit) throw tooManyKeys();
    return end;
  }

  /** Takes objects and gives the key's value after each of them. */
  update(objects: readonly T[]): Keyed<K, V>[] {
    const holders = this.#holders;
    const watch = this.#watch;
    return objects.map((object) => {
      const key = this.#key(object);
      const mapped = mapKey(key);
      const holder = holders.get(mapped);
      if (holder !== undefined) {
        holder.value = this.#reduce(holder.value, object);
        if (watch !== undefined) noteChange(watch, holder as WatchedHolder<K, V>);
        return { key: holder.key, value: holder.value };
      }
      if (holders.size >= keysLimit) throw tooManyKeys();
      const value = this.#first(key, object);
      this.#set(mapped, key, value);
      return { key, value };
    });
  }

  /** Objects as values of their own, without looking whether their keys repeat. */
  single(objects: readonly T[], from: number, to: number): Keyed<K, V>[] {
    const entries: Keyed<K, V>[] = [];
    for (let index = from; index < to; index += 1) {
      const object = objects[index] as T;
      const key = this.#key(object);
      entries.push({ key, value: this.#first(key, object) });
    }
    return entries;
  }

  /** Hands all values on, and holds none any more. */
  take(): Keyed<K, V>[] {
    return [...this.takeEach()];
  }

  /** The same; those of which more is known one by one, since others are made of them. */
  takeEach(): Iterable<Keyed<K, V>, void> & object {
    const holders = this.#holders;
    const watched = this.#watch !== undefined;
    this.#holders = new Map();
    this.#watch = undefined;
    return watched ? plainEntries(holders) : [...holders.values()];
  }

  /** All values, which go on changing: for a snapshot, which is copied at once. */
  entries(): readonly Keyed<K, V>[] {
    return [...this.#holders.values()];
  }

  /** The same, and from now on it is known which values change. */
  watchedEntries(): readonly Keyed<K, V>[] {
    if (this.#watch === undefined) this.#startWatching();
    else this.changes();
    return this.entries();
  }

  /** Values that have changed since they were asked for last, new ones in the order in which they came. */
  changes(): readonly Keyed<K, V>[] {
    const watch = this.#watch;
    if (watch === undefined) return this.watchedEntries();
    const { changed } = watch;
    for (const holder of changed) holder.changed = false;
    watch.changed = [];
    return changed;
  }

  restore(entries: readonly Keyed<K, V>[]): void {
    this.#watch = undefined;
    this.#holders = new Map(entries.map(({ key, value }) => [mapKey(key), { key, value }]));
  }

  /** Takes over what `changes` gave elsewhere. */
  apply(changes: readonly Keyed<K, V>[]): void {
    for (const { key, value } of changes) {
      const mapped = mapKey(key);
      const holder = this.#holders.get(mapped);
      if (holder === undefined) this.#set(mapped, key, value);
      else {
        holder.value = value;
        if (this.#watch !== undefined) noteChange(this.#watch, holder as WatchedHolder<K, V>);
      }
    }
  }

  #set(mapped: MapKey, key: K, value: V): void {
    const watch = this.#watch;
    if (watch === undefined) {
      this.#holders.set(mapped, { key, value });
      return;
    }
    const holder = { key, value, changed: true };
    watch.holders.set(mapped, holder);
    watch.changed.push(holder);
  }

  #startWatching(): void {
    const holders = new Map<MapKey, WatchedHolder<K, V>>();
    for (const [mapped, { key, value }] of this.#holders) holders.set(mapped, { key, value, changed: false });
    this.#holders = holders;
    this.#watch = { holders, changed: [], loop: ownCopy(reduceWatched<T, K, V>) };
  }
}

interface Watch<T, K extends Key, V> {
  readonly holders: Map<MapKey, WatchedHolder<K, V>>;
  changed: WatchedHolder<K, V>[];
  readonly loop: typeof reduceWatched<T, K, V>;
}

function* plainEntries<K, V>(holders: ReadonlyMap<MapKey, Holder<K, V>>): Generator<Keyed<K, V>, void> {
  for (const { key, value } of holders.values()) yield { key, value };
}

function noteChange<T, K extends Key, V>(watch: Watch<T, K, V>, holder: WatchedHolder<K, V>): void {
  if (holder.changed) return;
  holder.changed = true;
  watch.changed.push(holder);
}

/** The hot loop. Refers to nothing but its parameters, because it is copied from its text. */
function reduceAll<T, K extends Key, V>(
  objects: readonly T[],
  from: number,
  keysMax: number,
  holders: Map<MapKey, Holder<K, V>>,
  keyOf: (object: T) => K,
  reduce: (value: V, object: T) => V,
  first: (key: K, object: T) => V,
  mapKeyOf: (key: Key) => MapKey,
): number {
  const { length } = objects;
  for (let index = from; index < length; index += 1) {
    const object = objects[index] as T;
    const key = keyOf(object);
    const mapped = typeof key === "number" ? key : mapKeyOf(key);
    const holder = holders.get(mapped);
    if (holder !== undefined) {
      holder.value = reduce(holder.value, object);
    } else {
      if (holders.size >= keysMax) return index;
      holders.set(mapped, { key, value: first(key, object) });
    }
  }
  return length;
}

/** The same, noting which values change. */
function reduceWatched<T, K extends Key, V>(
  objects: readonly T[],
  from: number,
  keysMax: number,
  holders: Map<MapKey, WatchedHolder<K, V>>,
  keyOf: (object: T) => K,
  reduce: (value: V, object: T) => V,
  first: (key: K, object: T) => V,
  mapKeyOf: (key: Key) => MapKey,
  changed: WatchedHolder<K, V>[],
): number {
  const { length } = objects;
  for (let index = from; index < length; index += 1) {
    const object = objects[index] as T;
    const key = keyOf(object);
    const mapped = typeof key === "number" ? key : mapKeyOf(key);
    const holder = holders.get(mapped);
    if (holder !== undefined) {
      holder.value = reduce(holder.value, object);
      if (!holder.changed) {
        holder.changed = true;
        changed.push(holder);
      }
    } else {
      if (holders.size >= keysMax) return index;
      const added = { key, value: first(key, object), changed: true };
      holders.set(mapped, added);
      changed.push(added);
    }
  }
  return length;
}

/**
 * A copy of a loop that the engine optimizes for itself: one loop that calls the functions of several operators is compiled
 * for none of them. Where code can't be made from text, the loop itself.
 */
function ownCopy<F extends (...parameters: never[]) => unknown>(loop: F): F {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the text is that of the function above
    return new Function(`return ${loop.toString()}`)() as F;
  } catch {
    return loop;
  }
}

function tooManyKeys(): QStreamError {
  return new QStreamError("LIMIT_EXCEEDED", `one channel can't hold more than ${keysLimit} keys`, {
    advice: "Give the step more channels: keys are dealt to them.",
  });
}
