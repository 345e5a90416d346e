import type { Key } from "./contracts/partition.ts";
import { QStreamError } from "./errors.ts";
import { generate } from "./generate.ts";
import {
  combineHashes,
  hashBigint,
  hashBoolean,
  hashBytes,
  hashFloat64,
  hashInt32,
  hashNull,
  hashString,
} from "./hash.ts";
import { requireProperty } from "./key-property.ts";

/** How a key is taken from an object: by a function, or by the name of a property or column, or by several names. */
export type KeySelector<T> = ((object: T) => Key) | string | readonly string[];

/** What stands for a key in a `Map`: equal keys give the same. */
export type MapKey = string | number | bigint | boolean | null | undefined;

/** Number of key groups: keys are hashed to groups, and groups are dealt to channels, so that channel counts can change. */
export const keyGroups = 1024;

/** The key group, 0 to 1,023, of a key's hash. */
export function groupOfHash(hash: number): number {
  return hash >>> 22;
}

/** The channel of a key's hash: its group's. Groups are dealt in contiguous ranges, so at most 1,024 channels get keys. */
export function channelOfHash(hash: number, channels: number): number {
  return ((hash >>> 22) * channels) >>> 10;
}

/** The channel that gets a key group. */
export function channelOfGroup(group: number, channels: number): number {
  return (group * channels) >>> 10;
}

/**
 * Hash of a key, a whole number from 0 to 2^32-1. Equal keys hash equal on every machine and in every representation: 5, 5n and
 * an Int64 column's 5; a string and its UTF-8 bytes; a Date and its milliseconds; an array of one key and that key.
 */
export function hashKey(key: Key): number {
  if (typeof key === "number") return (key | 0) === key ? hashInt32(key) : hashFloat64(key);
  if (typeof key === "string") return hashString(key);
  if (typeof key === "boolean") return hashBoolean(key);
  if (typeof key === "bigint") return hashBigint(key);
  return key === null || key === undefined ? hashNull : hashObject(key);
}

function hashObject(key: Date | Uint8Array | readonly Key[]): number {
  if (Array.isArray(key)) {
    const keys = key as readonly Key[];
    if (keys.length === 0) return hashNull;
    let hash = hashKey(keys[0]);
    for (let index = 1; index < keys.length; index += 1) hash = combineHashes(hash, hashKey(keys[index]));
    return hash;
  }
  if (key instanceof Uint8Array) return hashBytes(key, 0, key.length);
  if (key instanceof Date) return hashFloat64(key.getTime());
  throw notAKey(key);
}

/**
 * What stands for a key in a `Map` or `Set`: equal keys give the same, different keys never do. Numbers, short strings and
 * booleans stand for themselves.
 */
export function mapKey(key: Key): MapKey {
  if (typeof key === "number") return key;
  // Texts that begin with one of the two marks below are marked themselves, so that no text looks like an array.
  if (typeof key === "string") return key.length > 0 && key.charCodeAt(0) <= 1 ? `\u0000${key}` : key;
  if (typeof key === "boolean" || key === null || key === undefined) return key;
  return typeof key === "bigint" ? mapBigint(key) : mapObject(key);
}

function mapBigint(key: bigint): number | bigint {
  const number = Number(key);
  return Number.isFinite(number) && BigInt(number) === key ? number : key;
}

function mapObject(key: Date | Uint8Array | readonly Key[]): MapKey {
  if (Array.isArray(key)) {
    const keys = key as readonly Key[];
    return keys.length === 1 ? mapKey(keys[0]) : `\u0001${keys.map(keyText).join("")}`;
  }
  if (key instanceof Date) return key.getTime();
  return `\u0001${keyText(key)}`;
}

/** A key as text from which it could be read back, so that texts of lists of keys are equal only for equal lists. */
function keyText(key: Key): string {
  switch (typeof key) {
    case "number":
      return `n${key};`;
    case "string":
      return `s${key.length}:${key}`;
    case "boolean":
      return key ? "t" : "f";
    case "undefined":
      return "u";
    case "bigint": {
      const same = mapBigint(key);
      return typeof same === "number" ? `n${same};` : `i${same};`;
    }
    default:
      return key === null ? "z" : objectText(key);
  }
}

function objectText(key: Date | Uint8Array | readonly Key[]): string {
  if (Array.isArray(key)) {
    const keys = key as readonly Key[];
    return keys.length === 1 ? keyText(keys[0]) : `a${keys.length}[${keys.map(keyText).join("")}`;
  }
  if (key instanceof Date) return `n${key.getTime()};`;
  if (key instanceof Uint8Array) {
    const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
    return `b${text.length}:${text}`;
  }
  throw notAKey(key);
}

function notAKey(key: unknown): QStreamError {
  const what = typeof key === "object" ? (key?.constructor?.name ?? "object") : typeof key;
  return new QStreamError("BAD_INPUT", `a key can't be of type ${what}`, {
    advice: "Keys are strings, numbers, bigints, booleans, null, dates, Uint8Arrays, or arrays of these",
  });
}

/**
 * The function that takes the key from an object. One name gives the property's value, several give an array of values. It
 * throws BAD_INPUT for an object that doesn't have a named property at all; one that holds null or undefined is a key.
 *
 * @param options.optional - what isn't there is undefined instead. Default false
 * @example keyFunction<{ origin: string; day: number }>(["origin", "day"])({ origin: "SFO", day: 3 }); // ["SFO", 3]
 */
export function keyFunction<T>(
  selector: KeySelector<T>,
  options: { readonly optional?: boolean } = {},
): (object: T) => Key {
  const { optional = false } = options;
  if (typeof selector === "function") return selector;
  const names = typeof selector === "string" ? [selector] : selector;
  if (names.length === 0) {
    throw new QStreamError("OPTION_INVALID", "a key needs at least one property or column name", {
      advice: "Give a name, several names, or a function",
    });
  }
  return compiled<T>(names, optional) ?? plain<T>(names, optional);
}

const compiledMax = 1024;
const compiledKeys = new Map<string, (object: never) => Key>();

/** Compiled for its names alone, and kept, so that it stays as fast as it got. */
function compiled<T>(names: readonly string[], optional: boolean): ((object: T) => Key) | undefined {
  const text = JSON.stringify([optional, names]);
  const known = compiledKeys.get(text);
  if (known !== undefined) return known as (object: T) => Key;
  const texts = names.map((name) => JSON.stringify(name));
  const reads = texts.map((name, index) => `const value${index} = object[${name}];`);
  // Only what is read as undefined is looked at again, so that the check costs nothing for what is there.
  const checks = optional
    ? []
    : texts.map((name, index) => `if (value${index} === undefined) requireProperty(object, ${name});`);
  const values = texts.map((_, index) => `value${index}`).join(", ");
  const key = names.length === 1 ? values : `[${values}]`;
  const body = `return (object) => { ${reads.join(" ")} ${checks.join(" ")} return ${key}; };`;
  const made = generate<(object: T) => Key>(["requireProperty"], body, [requireProperty]);
  if (made !== undefined && compiledKeys.size < compiledMax) compiledKeys.set(text, made as (object: never) => Key);
  return made;
}

function plain<T>(names: readonly string[], optional: boolean): (object: T) => Key {
  const [first = ""] = names;
  const valueOf = optional ? valueAt : requiredValueAt;
  if (names.length === 1) return (object) => valueOf(object, first);
  return (object) => names.map((name) => valueOf(object, name));
}

function valueAt(object: unknown, name: string): Key {
  return (object as Readonly<Record<string, Key>>)[name];
}

function requiredValueAt(object: unknown, name: string): Key {
  const value = valueAt(object, name);
  if (value === undefined) requireProperty(object, name);
  return value;
}
