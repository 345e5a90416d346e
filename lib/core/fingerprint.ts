import { createHash } from "node:crypto";
import { serialize } from "node:v8";

/** A short hash of plain data: equal data, in the same order of properties or another, gives the same. */
export function fingerprintOf(data: unknown): string {
  return createHash("sha256").update(serialize(canonical(data))).digest("hex").slice(0, 16);
}

/** Functions count by their source text, class instances by their own properties; order of properties doesn't count. */
function canonical(data: unknown, depth = 0): unknown {
  if (typeof data === "function") return `function ${data.toString()}`;
  if (typeof data === "symbol") return `symbol ${String(data.description)}`;
  if (typeof data !== "object" || data === null) return data;
  if (depth > 16) return "deep";
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof Date || data instanceof RegExp) return data;
  if (Array.isArray(data)) return data.map((value: unknown) => canonical(value, depth + 1));
  if (data instanceof Map || data instanceof Set) return [...data].map((value: unknown) => canonical(value, depth + 1));
  return Object.keys(data)
    .toSorted()
    .map((key) => [key, canonical((data as Record<string, unknown>)[key], depth + 1)]);
}
