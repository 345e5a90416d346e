import { type BatchSupport, loadedBatches, representationOf } from "../lib/core/batch/index.ts";
import type { ColumnsIn } from "../lib/core/batch-types.ts";
import type { Incremental, Operator, OperatorDefinition, Stateful, Task } from "../lib/core/contracts/operator.ts";
import type { Key } from "../lib/core/contracts/partition.ts";
import { invariant, QStreamError } from "../lib/core/errors.ts";
import { keyFunction, mapKey, type MapKey } from "../lib/core/key.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { dealKeys, type DistinctState, Groups, groupsOfRows } from "./distinct/groups.ts";
import { readKeys } from "./distinct/read-keys.ts";
import { structuralKey } from "./distinct/structural-key.ts";

export { structuralKey } from "./distinct/structural-key.ts";

/** What counts as equal. */
export interface DistinctOptions<T> {
  /** The key of an object: a column or property, several, or a function (for plain objects). Default: the whole object. */
  readonly key?: ((object: T) => Key) | ColumnsIn<T> | readonly ColumnsIn<T>[];
}

const distinctOptionNames: readonly string[] = namesOf<DistinctOptions<unknown>>({ key: true });

/**
 * Passes the first object of each key on, or the first row, at once. Without a key, objects are compared by all that they
 * hold, in depth. Channels must get objects by the hash of the key; `structuralKey` is the key of a whole object. Holds every
 * key it has seen.
 *
 * With a key, which of several objects with that key passes is not promised.
 *
 * @throws QStreamError LIMIT_EXCEEDED for more than 16 million keys in one channel
 * @example flights.partition(hash("origin")).apply("origins", distinct({ key: "origin" }))
 */
export function distinct<T>(options: DistinctOptions<T> = {}): OperatorDefinition<{ in: T }, T> {
  checkOptionNames("distinct()", options, distinctOptionNames);
  const selector = options.key as ((object: T) => Key) | string | readonly string[] | undefined;
  const names = typeof selector === "string" ? [selector] : typeof selector === "function" ? "function" : selector;
  const keyOf = selector === undefined ? structuralKey : keyFunction<T>(selector);
  return {
    kind: "distinct",
    options: { key: names ?? "whole object" },
    declares: selector === undefined ? "confluent" : "arbitrary-choice",
    parallelism: "per-slot",
    representations: ["objects", "arrow", "polars"],
    create: () => new Distinct<T>(keyOf, names),
    deal: dealKeys,
    keys: { in: selector ?? structuralKey },
  };
}

/** Entries that a Set of V8 can hold. */
const keysMax = 2 ** 24 - 1;

class Distinct<T> implements Operator<{ in: T }, T>, Stateful<DistinctState>, Incremental<DistinctState> {
  readonly #keyOf: (object: T) => Key;
  readonly #names: readonly string[] | "function" | undefined;
  #seen = new Set<MapKey>();
  /** Of rows of batches: keys alone don't tell how those are sent. */
  readonly #groups = new Groups();
  /** Keys that were seen since the state was last saved; undefined while it never was. */
  #added: MapKey[] | undefined;

  constructor(keyOf: (object: T) => Key, names: readonly string[] | "function" | undefined) {
    this.#keyOf = keyOf;
    this.#names = names;
  }

  execute({ objects }: Task<{ in: T }>): readonly T[] {
    if (representationOf(objects[0]) === undefined)
      return objects.filter((object) => this.#isNew(mapKey(this.#keyOf(object))));
    return objects.flatMap((batch) => this.#newRows(batch));
  }

  snapshot(): DistinctState {
    this.#added = [];
    return { keys: [...this.#seen], groups: this.#groups.since(0) };
  }

  restore({ keys, groups }: DistinctState): void {
    this.#seen = new Set(keys);
    this.#groups.restore(groups);
  }

  changes(): DistinctState | undefined {
    const keys = this.#added;
    if (keys === undefined) return undefined;
    this.#added = [];
    return { keys, groups: this.#groups.since(this.#seen.size - keys.length) };
  }

  apply({ keys, groups }: DistinctState): void {
    if (groups === "unknown") this.#groups.forget();
    if (!(groups instanceof Uint16Array)) {
      for (const key of keys) this.#isNew(key);
      return;
    }
    this.#groups.begin(this.#seen);
    for (const [index, key] of keys.entries()) if (this.#add(key)) this.#groups.note(groups[index] as number);
  }

  #isNew(key: MapKey): boolean {
    const isNew = this.#add(key);
    if (isNew) this.#groups.noteKey(key);
    return isNew;
  }

  #add(key: MapKey): boolean {
    const before = this.#seen.size;
    if (before >= keysMax && !this.#seen.has(key)) {
      throw new QStreamError("LIMIT_EXCEEDED", `one channel can't hold more than ${keysMax} keys`, {
        advice: "Give the step more channels: keys are dealt to them.",
      });
    }
    const isNew = this.#seen.add(key).size > before;
    if (isNew) this.#added?.push(key);
    return isNew;
  }

  #newRows(batch: T): T[] {
    const support = loadedBatches();
    invariant(support !== undefined, "the support for batches is loaded before a task that holds one");
    if (this.#names === "function") {
      throw new QStreamError(
        "UNSUPPORTED",
        "distinct was given a key function, which can't read the rows of a columnar batch",
        {
          advice: 'Name the key\'s columns instead: distinct({ key: "origin" }).',
        },
      );
    }
    this.#groups.begin(this.#seen);
    const keys = readKeys(support, batch, this.#names);
    const rows = support.rows(batch);
    const isNew = new Uint16Array(rows);
    let kept = 0;
    for (let row = 0; row < rows; row += 1) {
      if (!this.#add(keys(row))) continue;
      isNew[row] = 1;
      kept += 1;
    }
    if (kept === 0) return [];
    this.#noteGroups(support, batch, isNew);
    return [kept === rows ? batch : (support.gather(batch, isNew, 2)[1] as T)];
  }

  #noteGroups(support: BatchSupport, batch: T, isNew: Uint16Array): void {
    const view = support.view(batch);
    const names = this.#names === "function" ? undefined : this.#names;
    const groupOf = groupsOfRows(() => view.hashRows(names ?? view.columns));
    if (groupOf === undefined) return this.#groups.forget();
    for (let row = 0; row < isNew.length; row += 1) if (isNew[row] === 1) this.#groups.note(groupOf(row));
  }
}
