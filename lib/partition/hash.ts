import type { Key, PartitionFunction, Router } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";
import { channelOfHash, keyFunction, keyGroups } from "../core/key.ts";
import { madeLoop, noKnownChannels, routeLoop } from "./route-loop.ts";
import type { KeyColumns, RowIn } from "../core/key-columns.ts";

/**
 * Sends objects with equal keys to the same channel. Keys go to 1,024 key groups, and groups to channels, so it serves at most
 * 1,024 channels. Works on plain objects and, if the key is given by names, on columnar batches: equal keys meet in both.
 *
 * @param key function that gives an object's key, or the name of a property or column, or several names. Named properties
 * must be there, though they may hold null or undefined; for one that may be absent give a function
 * @throws QStreamError OPTION_INVALID for an empty list of names; while it runs BAD_INPUT with the column for an object or
 * batch that doesn't have it
 *
 * @example leaves.partition(hash((leaf) => leaf.tree))
 * @example flights.partition(hash(["origin", "day"]))
 */
export function hash<T>(
  key: ((object: T) => Key) | KeyColumns<T>[keyof RowIn<T>] | readonly KeyColumns<T>[keyof RowIn<T>][],
): PartitionFunction<T> {
  const selector = key as ((object: T) => Key) | string | readonly string[];
  const keyOf = keyFunction<T>(selector);
  const names = typeof selector === "function" ? undefined : typeof selector === "string" ? [selector] : [...selector];
  return {
    kind: "hash",
    options: { key: names ?? "function" },
    label: `hash(${names?.join(", ") ?? "function"})`,
    check: (_, channels) =>
      channels > keyGroups
        ? `hash serves at most ${keyGroups} channels, its number of key groups, and not ${channels}`
        : undefined,
    router: ({ channels }) => hashRouter(keyOf, names, channels),
  };
}

/**
 * Sends equal objects to the same channel: plain objects by a key that stands for all they hold, rows of batches by all their
 * columns.
 */
export function hashWhole<T>(keyOf: (object: T) => Key): PartitionFunction<T> {
  const whole = hash<T>(keyOf);
  return {
    ...whole,
    options: { key: "whole object" },
    label: "hash(whole object)",
    router: (route) => {
      const router = whole.router(route);
      return {
        objects: router.objects,
        batch: (batch, channelOfRow, task) =>
          hashRouter<T>(keyOf, batch.columns, route.channels).batch(batch, channelOfRow, task),
      };
    },
  };
}

const madeChannelsMax = 64;

function hashRouter<T>(keyOf: (object: T) => Key, names: readonly string[] | undefined, channels: number): Router<T> {
  const loop = routeLoop(keyOf, names);
  const known = noKnownChannels();
  let channelOf = new Uint16Array(1024);
  const counts = new Uint32Array(channels);
  return {
    objects(objects, targets) {
      const { length } = objects;
      if (channels === 1) {
        // A wrong name shows on one channel too, and not only where there are more.
        if (names !== undefined && length > 0) keyOf(objects[0] as T);
        return 0;
      }
      if (channelOf.length < length) channelOf = new Uint16Array(2 * length);
      counts.fill(0);
      loop(objects, channels, channelOf, counts, known);
      deal(objects, targets, channelOf, counts);
      return undefined;
    },
    made(each) {
      const [name] = names ?? [];
      // Beyond a few channels the arrays of all of them are more than what one pass gains.
      if (name === undefined || names?.length !== 1 || channels === 1 || channels > madeChannelsMax) return undefined;
      const made = madeLoop(name, each);
      return made && ((objects, making, targets) => made(objects, making, targets, channels, known));
    },
    batch(batch, channelOfRow) {
      if (channels === 1) return 0;
      if (names === undefined) throw needsNames("hash");
      const hashes = batch.hashRows(names);
      for (let row = 0; row < hashes.length; row += 1) channelOfRow[row] = channelOfHash(hashes[row] ?? 0, channels);
      return undefined;
    },
  };
}

/** Copies objects to arrays of the right size, which costs half of what pushing to growing ones does. */
function deal(objects: readonly unknown[], targets: unknown[][], channelOf: Uint16Array, counts: Uint32Array): void {
  for (let channel = 0; channel < counts.length; channel += 1) {
    const count = counts[channel] as number;
    if (count > 0) targets[channel] = new Array<unknown>(count);
  }
  counts.fill(0);
  for (let index = 0; index < objects.length; index += 1) {
    const channel = channelOf[index] as number;
    const place = counts[channel] as number;
    (targets[channel] as unknown[])[place] = objects[index];
    counts[channel] = place + 1;
  }
}

/** The error for a key function that meets a columnar batch. */
export function needsNames(what: string): QStreamError {
  return new QStreamError(
    "UNSUPPORTED",
    `${what} was given a key function, which can't read the rows of a columnar batch`,
    {
      advice: `Name the key's columns instead: ${what}("origin") or ${what}(["origin", "day"])`,
    },
  );
}
