import type { ColumnarView } from "../core/batch/view.ts";
import type { Key, PartitionFunction, Router } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";
import { keyFunction } from "../core/key.ts";
import { needsNames } from "./hash.ts";
import type { KeyColumns, RowIn } from "../core/key-columns.ts";

/** Keys that have an order: numbers and bigints among themselves, strings by their UTF-16 code units, dates by their time. */
export type OrderedKey = string | number | bigint | Date;

const boundsMax = 65_535;

/**
 * Sends each object to the channel whose range its key is in: keys before `bounds[0]` to channel 0, from there to before
 * `bounds[1]` to channel 1, and so on; so there is one channel more than bounds. Missing keys (null, undefined) go to channel
 * 0, NaN to the last. Works on plain objects and, if the key is given by name, on columnar batches.
 *
 * @param key function that gives an object's key, or the name of a property or column
 * @param bounds first keys of the channels after the first one, ascending
 * @throws QStreamError OPTION_INVALID for bounds that don't ascend or are of several types; while it runs BAD_INPUT for a
 * named property or column that isn't there, and for keys of another type than the bounds
 *
 * @example flights.partition(range((flight) => flight.day, [10, 20])) // three channels
 */
export function range<T, K extends OrderedKey = OrderedKey>(
  key: ((object: T) => K | null | undefined) | KeyColumns<T>[keyof RowIn<T>],
  bounds: readonly NoInfer<K>[],
): PartitionFunction<T> {
  const selector = key as ((object: T) => Key) | string;
  const limits = checkedBounds(bounds);
  const name = typeof selector === "string" ? selector : undefined;
  const channels = limits.length + 1;
  return {
    kind: "range",
    options: { key: name ?? "function", bounds: [...bounds] },
    label: `range(${name ?? "function"}, ${limits.length} bounds)`,
    check: (_, wanted) =>
      wanted === channels
        ? undefined
        : `range with ${limits.length} bounds has ${channels} channels, and not ${wanted}`,
    router: () => rangeRouter(keyFunction<T>(selector), name, limits),
  };
}

type Limit = string | number | bigint;

function checkedBounds(bounds: readonly OrderedKey[]): readonly Limit[] {
  if (bounds.length > boundsMax) {
    throw new QStreamError("OPTION_INVALID", `range has ${bounds.length} bounds: ${boundsMax} at most`);
  }
  const limits = bounds.map((bound) => (bound instanceof Date ? bound.getTime() : bound));
  for (const [index, limit] of limits.entries()) {
    const before = limits[index - 1];
    const valid =
      typeof limit === "string" || typeof limit === "bigint" || (typeof limit === "number" && !Number.isNaN(limit));
    if (!valid || (before !== undefined && !(comparable(before, limit) && before < limit))) {
      throw new QStreamError(
        "OPTION_INVALID",
        `bound ${index} of range, ${describe(bounds[index])}, doesn't ascend from the one before`,
        {
          advice: "Give bounds of one type in ascending order, each only once",
        },
      );
    }
  }
  return limits;
}

function rangeRouter<T>(keyOf: (object: T) => Key, name: string | undefined, limits: readonly Limit[]): Router<T> {
  return {
    objects(objects, targets) {
      if (limits.length === 0) {
        if (name !== undefined && objects.length > 0) keyOf(objects[0] as T);
        return 0;
      }
      for (let index = 0; index < objects.length; index += 1) {
        const object = objects[index] as T;
        (targets[channelOfKey(keyOf(object), limits)] as unknown[]).push(object);
      }
      return undefined;
    },
    batch(batch: ColumnarView, channelOfRow) {
      if (limits.length === 0) return 0;
      if (name === undefined) throw needsNames("range");
      const values = batch.values(name);
      for (let row = 0; row < batch.rows; row += 1) channelOfRow[row] = channelOfKey(values[row] as Key, limits);
      return undefined;
    },
  };
}

/** Number of bounds that aren't after the key, by halving. */
function channelOfKey(key: Key, limits: readonly Limit[]): number {
  if (key === null || key === undefined) return 0;
  const value = key instanceof Date ? key.getTime() : key;
  if (!comparable(value, limits[0] ?? 0)) throw wrongType(key, limits);
  let low = 0;
  let high = limits.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((value as Limit) < (limits[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function comparable(value: unknown, limit: Limit): boolean {
  if (typeof value === "string") return typeof limit === "string";
  return (typeof value === "number" || typeof value === "bigint") && typeof limit !== "string";
}

function wrongType(key: Key, limits: readonly Limit[]): QStreamError {
  return new QStreamError(
    "BAD_INPUT",
    `range has bounds of type ${typeof limits[0]} and got the key ${describe(key)}`,
    {
      advice: "Give bounds of the type that the key has",
    },
  );
}

function describe(key: unknown): string {
  if (key instanceof Date) return `date ${key.getTime()}`;
  return typeof key === "string" ? JSON.stringify(key) : `${String(key)} (${typeof key})`;
}
