import type { Key } from "../core/contracts/partition.ts";
import { generate } from "../core/generate.ts";
import { channelOfHash, hashKey } from "../core/key.ts";
import { requireProperty } from "../core/key-property.ts";

/** Writes the channel of each object of a parcel, and adds up how many objects each channel gets. */
export type RouteLoop = (
  objects: readonly unknown[],
  channels: number,
  channelOf: Uint16Array,
  counts: Uint32Array,
  known: Uint16Array,
) => void;

/** Whole numbers from 0 to this are looked up instead of hashed, once their channel is known. */
const knownKeys = 4096;
const unknown = 0xffff;

/** The channels of small whole numbers, as far as they are known. */
export function noKnownChannels(): Uint16Array {
  return new Uint16Array(knownKeys).fill(unknown);
}

const loopsMax = 256;
const loopsByName = new Map<string, RouteLoop>();

/**
 * The loop over a parcel for one key, compiled for it alone. A key that is one name keeps its loop from run to run, so that
 * it stays as fast as it got.
 */
export function routeLoop<T>(keyOf: (object: T) => Key, names: readonly string[] | undefined): RouteLoop {
  const name = names?.length === 1 ? names[0] : undefined;
  if (name === undefined) return generated("keyOf(object)", "", keyOf) ?? plain(keyOf);
  let loop = loopsByName.get(name);
  if (loop === undefined) {
    const text = JSON.stringify(name);
    const check = `if (key === undefined) requireProperty(object, ${text});`;
    loop = generated(`object[${text}]`, check, keyOf) ?? plain(keyOf);
    if (loopsByName.size < loopsMax) loopsByName.set(name, loop);
  }
  return loop;
}

/** @param check - what is done with a key that is no small whole number, before it is hashed */
function generated<T>(key: string, check: string, keyOf: (object: T) => Key): RouteLoop | undefined {
  const body = `return (objects, channels, channelOf, counts, known) => {
    for (let row = 0; row < objects.length; row += 1) {
      const object = objects[row];
      const key = ${key};
      let channel = ${unknown};
      if (typeof key === "number" && (key & ${knownKeys - 1}) === key) {
        channel = known[key];
        if (channel === ${unknown}) channel = known[key] = channelOfHash(hashKey(key), channels);
      } else {
        ${check}
        channel = channelOfHash(hashKey(key), channels);
      }
      channelOf[row] = channel;
      counts[channel] += 1;
    }
  };`;
  const names = ["keyOf", "hashKey", "channelOfHash", "requireProperty"];
  return generate(names, body, [keyOf, hashKey, channelOfHash, requireProperty]);
}

function plain<T>(keyOf: (object: T) => Key): RouteLoop {
  return (objects, channels, channelOf, counts) => {
    for (let row = 0; row < objects.length; row += 1) {
      const channel = channelOfHash(hashKey(keyOf(objects[row] as T)), channels);
      channelOf[row] = channel;
      counts[channel] = (counts[channel] as number) + 1;
    }
  };
}
