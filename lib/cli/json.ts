import { loadedBatches, representationOf } from "../core/batch/index.ts";

/**
 * Writes outputs as JSON: bigints as numbers where they are safe, else as strings; dates as ISO texts; maps and sets as
 * arrays; Arrow tables and Polars frames as rows; numbers that JSON doesn't have as texts.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value, 0), null, 2);
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (depth > 64) return "...";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (representationOf(value) !== undefined) return plain(loadedBatches()?.toObjects(value) ?? [], depth + 1);
  if (Array.isArray(value) || value instanceof Set) return [...value].map((item) => plain(item, depth + 1));
  if (value instanceof Map) return [...value].map((pair) => plain(pair, depth + 1));
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>, (item) => plain(item, depth + 1));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}
