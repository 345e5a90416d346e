import type { Deal } from "../../lib/core/contracts/operator.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { groupOfHash, type MapKey } from "../../lib/core/key.ts";
import { groupOfMapKey } from "../../lib/core/map-key-group.ts";

/** The state of a `distinct`: what stands for the keys that it has seen, and their key groups where keys alone don't tell. */
export interface DistinctState {
  readonly keys: readonly MapKey[];
  readonly groups: KnownGroups;
}

/** The key groups of keys in their order; undefined where keys tell, `unknown` for columns that have no hash. */
export type KnownGroups = Uint16Array | "unknown" | undefined;

/**
 * The key groups of keys, in the order in which they came. Partition functions hash columns as they are, and the keys of rows
 * are texts of several, or times with more digits: so groups are noted from the first batch on.
 */
export class Groups {
  #groups: Uint16Array | undefined;
  #length = 0;
  #unknown = false;

  /** From now on groups are noted: first those of keys that came as plain objects, if any did. */
  begin(seen: ReadonlySet<MapKey>): void {
    if (this.#groups !== undefined || this.#unknown) return;
    this.#groups = new Uint16Array(Math.max(1024, seen.size));
    for (const key of seen) this.note(groupOfMapKey(key));
  }

  note(group: number): void {
    if (this.#groups === undefined) return;
    if (this.#length === this.#groups.length) {
      const grown = new Uint16Array(2 * this.#length);
      grown.set(this.#groups);
      this.#groups = grown;
    }
    this.#groups[this.#length] = group;
    this.#length += 1;
  }

  /** Notes the group of a plain object's key. */
  noteKey(key: MapKey): void {
    if (this.#groups !== undefined) this.note(groupOfMapKey(key));
  }

  /** Notes that groups can't be told. */
  forget(): void {
    this.#unknown = true;
    this.#groups = undefined;
  }

  /** The groups of the keys from a place on. */
  since(place: number): KnownGroups {
    return this.#unknown ? "unknown" : this.#groups?.slice(place, this.#length);
  }

  restore(groups: KnownGroups): void {
    if (groups === "unknown") this.forget();
    if (!(groups instanceof Uint16Array)) return;
    this.#groups = groups.length > 0 ? groups.slice() : new Uint16Array(1024);
    this.#length = groups.length;
  }
}

/** Puts the taken keys of several states into one. @throws QStreamError UNSUPPORTED where their groups can't be told */
export function dealKeys(states: readonly DistinctState[], { takesGroup }: Deal): DistinctState {
  const keys: MapKey[] = [];
  const groups: number[] = [];
  for (const state of states) {
    if (state.groups === "unknown") throw unknownGroups();
    for (const [index, key] of state.keys.entries()) {
      const group = state.groups?.[index] ?? groupOfMapKey(key);
      if (!takesGroup(group)) continue;
      keys.push(key);
      groups.push(group);
    }
  }
  const noted = states.some((state) => state.groups !== undefined);
  return { keys, groups: noted ? Uint16Array.from(groups) : undefined };
}

/** The key groups of rows by their hashes; undefined for columns that have none. */
export function groupsOfRows(hashRows: () => Uint32Array): ((row: number) => number) | undefined {
  try {
    const hashes = hashRows();
    return (row) => groupOfHash(hashes[row] as number);
  } catch (error) {
    if (error instanceof QStreamError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

function unknownGroups(): QStreamError {
  return new QStreamError("UNSUPPORTED", "distinct has seen rows with columns that can't be hashed as keys", {
    advice: "Go on with as many channels as before.",
  });
}
