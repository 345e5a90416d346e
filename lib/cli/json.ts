import { loadBatches, representationOf, type BatchSupport } from "../core/batch/index.ts";

const depthMax = 64;

/**
 * Writes outputs as JSON: bigints as numbers where they are safe, else as strings; dates as ISO texts; maps and sets as
 * arrays; bytes and typed arrays as arrays of numbers; Arrow tables and Polars frames as rows; numbers that JSON doesn't have
 * as texts. What refers to itself is "(circular)".
 */
export async function toJson(value: unknown): Promise<string> {
  const writer = new JsonWriter();
  let plain = writer.plain(value);
  if (writer.metBatch) {
    writer.batches = await loadBatches();
    plain = writer.plain(value);
  }
  return JSON.stringify(plain, null, 2);
}

class JsonWriter {
  batches: BatchSupport | undefined;
  /** A table or frame was met while nothing could read it. */
  metBatch = false;
  readonly #inside = new Set<object>();

  plain(value: unknown): unknown {
    switch (typeof value) {
      case "bigint":
        return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "function":
        return undefined;
      case "symbol":
        return value.toString();
      case "object":
        return value === null ? null : this.#object(value);
      default:
        return value;
    }
  }

  #object(value: object): unknown {
    if (this.#inside.has(value)) return "(circular)";
    if (this.#inside.size >= depthMax) return "(too deep)";
    this.#inside.add(value);
    try {
      return this.#inner(value);
    } finally {
      this.#inside.delete(value);
    }
  }

  #inner(value: object): unknown {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Error) return { name: value.name, message: value.message };
    if (value instanceof RegExp) return value.toString();
    if (representationOf(value) !== undefined) return this.#batch(value);
    if (Array.isArray(value) || value instanceof Set || value instanceof Map)
      return Array.from(value, (item) => this.plain(item));
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return [...new Uint8Array(value)];
    if (value instanceof DataView) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array, (item) => this.plain(item));
    const { toJSON } = value as { readonly toJSON?: unknown };
    if (typeof toJSON === "function") return this.plain(toJSON.call(value));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.plain(item)]));
  }

  #batch(batch: object): unknown {
    this.metBatch = true;
    return this.batches?.toObjects(batch).map((row) => this.plain(row));
  }
}
