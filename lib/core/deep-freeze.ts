import { representationOf } from "./batch/representation.ts";
import { hashBytes } from "./hash.ts";

/**
 * Freezes an object and everything in it, so that who changes it fails at that place. Typed arrays, dates, Maps and Sets
 * can't be frozen (`watchUnfrozen` tells whether they change), and columnar batches aren't looked into.
 */
export function deepFreeze(object: unknown): void {
  const open: unknown[] = [object];
  while (open.length > 0) {
    const at = open.pop();
    if (typeof at !== "object" || at === null || ArrayBuffer.isView(at)) continue;
    if (!isPlain(at) || Object.isFrozen(at)) continue;
    Object.freeze(at);
    for (const value of Object.values(at)) open.push(value);
  }
}

/** Remembers what can't be frozen. @returns a function that names something of it which has changed since, if anything has */
export function watchUnfrozen(objects: unknown): () => string | undefined {
  const watched: { readonly value: object; readonly content: Content }[] = [];
  const seen = new Set<object>();
  const open: unknown[] = [objects];
  while (open.length > 0) {
    const at = open.pop();
    if (typeof at !== "object" || at === null || seen.has(at)) continue;
    seen.add(at);
    const content = contentOf(at);
    if (content !== undefined) watched.push({ value: at, content });
    if (at instanceof Map || at instanceof Set) for (const part of content as readonly unknown[]) open.push(part);
    else if (isPlain(at)) for (const part of Object.values(at)) open.push(part);
  }
  return () => {
    const changed = watched.find(({ value, content }) => !isSame(contentOf(value), content));
    return changed === undefined ? undefined : `a ${changed.value.constructor.name}`;
  };
}

/** What is remembered of an object: a number that its bytes make, or its parts. */
type Content = number | readonly unknown[];

function contentOf(object: object): Content | undefined {
  if (ArrayBuffer.isView(object)) {
    const { buffer, byteOffset, byteLength } = object;
    // What is shared with other threads may change at any time.
    return buffer instanceof ArrayBuffer
      ? hashBytes(new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength)
      : undefined;
  }
  if (object instanceof ArrayBuffer) return hashBytes(new Uint8Array(object), 0, object.byteLength);
  if (object instanceof Date) return object.getTime();
  if (object instanceof Map) return [...object].flatMap((entry) => entry);
  return object instanceof Set ? [...object] : undefined;
}

function isPlain(object: object): boolean {
  // A frame of Polars is a proxy that looks like a plain object, and throws when it's asked.
  if (representationOf(object) !== undefined) return false;
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === Object.prototype || prototype === null || Array.isArray(object);
}

function isSame(now: Content | undefined, before: Content): boolean {
  if (typeof now !== "object" || typeof before !== "object") return Object.is(now, before);
  return now.length === before.length && now.every((part, index) => Object.is(part, before[index]));
}
