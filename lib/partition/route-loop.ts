import type { Key, Making } from "../core/contracts/partition.ts";
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

type MadeRouteLoop = (
  objects: readonly unknown[],
  making: Making,
  targets: readonly unknown[][],
  channels: number,
  known: Uint16Array,
) => void;

const madeLoops = new Map<string, MadeRouteLoop>();

/** The loop that makes objects and routes them by a property, compiled for the two alone; undefined if code can't be made. */
export function madeLoop(name: string, each: Making["each"]): MadeRouteLoop | undefined {
  // A flow that runs again has new functions of the same text, for which the loop is already as fast as it gets.
  const id = JSON.stringify([name, each.toString()]);
  const found = madeLoops.get(id);
  if (found !== undefined) return found;
  const text = JSON.stringify(name);
  const body = `return (objects, { first, each, ctx, failed }, targets, channels, known) => {
    for (let row = 0; row < objects.length; row += 1) {
      let object = first;
      if (row > 0) try { object = each(objects[row], ctx); } catch (error) { throw failed(error); }
      const key = object[${text}];
      let channel = ${unknown};
      if (typeof key === "number" && (key & ${knownKeys - 1}) === key) {
        channel = known[key];
        if (channel === ${unknown}) channel = known[key] = channelOfHash(hashKey(key), channels);
      } else {
        if (key === undefined) requireProperty(object, ${text});
        channel = channelOfHash(hashKey(key), channels);
      }
      targets[channel].push(object);
    }
  };`;
  const names = ["hashKey", "channelOfHash", "requireProperty"];
  const loop = generate<MadeRouteLoop>(names, body, [hashKey, channelOfHash, requireProperty]);
  if (loop !== undefined && madeLoops.size < loopsMax) madeLoops.set(id, loop);
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
