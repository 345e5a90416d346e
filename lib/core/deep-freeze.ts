import { representationOf } from "./batch/representation.ts";

/**
 * Freezes an object and everything in it, so that who changes it fails at that place. Typed arrays can't be frozen, and
 * columnar batches aren't looked into.
 */
export function deepFreeze(object: unknown): void {
  const open: unknown[] = [object];
  for (let at = open.pop(); at !== undefined || open.length > 0; at = open.pop()) {
    if (typeof at !== "object" || at === null || ArrayBuffer.isView(at)) continue;
    // A frame of Polars is a proxy that looks like a plain object, and throws when it's asked.
    if (representationOf(at) !== undefined || Object.isFrozen(at)) continue;
    const prototype: unknown = Object.getPrototypeOf(at);
    if (prototype !== Object.prototype && prototype !== null && !Array.isArray(at)) continue;
    Object.freeze(at);
    for (const value of Object.values(at)) open.push(value);
  }
}
