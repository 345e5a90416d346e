import { inspect } from "node:util";

/** Where two values begin to differ, and what they are there. */
export interface Difference {
  /** Path within the value: `.rows[3].name`; empty for the value itself. */
  readonly path: string;
  readonly now: unknown;
  readonly before: unknown;
}

type Pair = readonly [path: string, now: unknown, before: unknown];

/**
 * Compares two values as they would travel: by what is in them. Maps and sets in their order, as code that goes through them
 * sees it; properties of objects in any order; functions, which don't travel, are all the same.
 */
export function firstDifference(now: unknown, before: unknown): Difference | undefined {
  const compared = new Map<object, object>();
  // A list instead of recursion: states may be linked lists.
  const left: Pair[] = [["", now, before]];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const [path, one, other] = pair;
    if (Object.is(one, other) || (typeof one === "function" && typeof other === "function")) continue;
    if (!isObject(one) || !isObject(other)) return { path, now: one, before: other };
    if (compared.get(one) === other) continue;
    compared.set(one, other);
    const parts = partsOf(path, one, other);
    if (parts === undefined) return { path, now: one, before: other };
    // The first of them is looked at first.
    for (let at = parts.length - 1; at >= 0; at--) left.push(parts[at] as Pair);
  }
  return undefined;
}

/** A value in a message: short, whatever it is. */
export function shorten(value: unknown): string {
  const text = inspect(value, { depth: 3, breakLength: Infinity, maxArrayLength: 8, maxStringLength: 80 });
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Objects without a prototype arrive as plain ones. */
function prototypeOf(value: object): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}

/** The pairs of parts that must be the same; undefined if the objects differ themselves. */
function partsOf(path: string, one: object, other: object): Pair[] | undefined {
  if (prototypeOf(one) !== prototypeOf(other)) return undefined;
  if (Array.isArray(one) && Array.isArray(other)) {
    const parts: Pair[] = one.map((value, at) => [`${path}[${at}]`, value, other[at]]);
    if (one.length !== other.length) parts.push([`${path}.length`, one.length, other.length]);
    return parts;
  }
  if (one instanceof Map && other instanceof Map) return entries(path, [...one].flat(), [...other].flat());
  if (one instanceof Set && other instanceof Set) return entries(path, [...one], [...other]);
  if (one instanceof Date && other instanceof Date) return [[path, one.getTime(), other.getTime()]];
  if (one instanceof RegExp) return String(one) === String(other) ? [] : undefined;
  if (isBuffer(one) && isBuffer(other)) return Buffer.compare(bytesOf(one), bytesOf(other)) === 0 ? [] : undefined;
  return properties(path, one as Record<string, unknown>, other as Record<string, unknown>);
}

function entries(path: string, one: readonly unknown[], other: readonly unknown[]): Pair[] {
  const parts: Pair[] = one.map((value, at) => [`${path}{${at}}`, value, other[at]]);
  if (one.length !== other.length) parts.push([`${path}.size`, one.length, other.length]);
  return parts;
}

function properties(path: string, one: Record<string, unknown>, other: Record<string, unknown>): Pair[] {
  const names = Object.keys(one);
  const parts: Pair[] = names.map((name) => [`${path}.${name}`, one[name], other[name]]);
  for (const name of Object.keys(other)) {
    if (!Object.hasOwn(one, name)) parts.push([`${path}.${name}`, undefined, other[name]]);
  }
  if (one instanceof Error) parts.unshift([`${path}.message`, one.message, (other as unknown as Error).message]);
  return parts;
}

function isBuffer(value: object): value is ArrayBuffer | SharedArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer || ArrayBuffer.isView(value);
}

function bytesOf(value: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}
