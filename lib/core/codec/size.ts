/** Objects that one estimate looks at; the rest of a big collection counts as the part that was seen. */
const looksMax = 512;

const objectBytes = 24;

/**
 * Estimated bytes that an object takes in memory: strings by their length, typed arrays by theirs, containers by their parts.
 * Looks at 512 parts at most and extrapolates, so the time is bounded; objects met twice count twice.
 */
export function estimateBytes(object: unknown): number {
  return new Estimate().of(object);
}

class Estimate {
  #looks = 0;

  of(value: unknown): number {
    switch (typeof value) {
      case "string":
        return 16 + value.length;
      case "object":
        return value === null ? 8 : this.#ofObject(value);
      case "bigint":
        return 24;
      default:
        return 8;
    }
  }

  #ofObject(value: object): number {
    if (ArrayBuffer.isView(value)) return objectBytes + value.byteLength;
    if (value instanceof ArrayBuffer) return objectBytes + value.byteLength;
    if (this.#looks >= looksMax) return objectBytes;
    if (Array.isArray(value)) return objectBytes + this.#ofMany(value, value.length);
    if (value instanceof Map) return objectBytes + 16 * value.size + this.#ofMany(value, value.size);
    if (value instanceof Set) return objectBytes + 16 * value.size + this.#ofMany(value, value.size);
    let bytes = objectBytes;
    for (const key in value) {
      this.#looks += 1;
      if (this.#looks > looksMax) break;
      bytes += 8 + this.of((value as Record<string, unknown>)[key]);
    }
    return bytes;
  }

  #ofMany(values: Iterable<unknown>, count: number): number {
    let bytes = 0;
    let seen = 0;
    for (const value of values) {
      this.#looks += 1;
      if (this.#looks > looksMax) break;
      seen += 1;
      bytes += 8 + this.of(value);
    }
    return seen === 0 ? 8 * count : Math.round((bytes * count) / seen);
  }
}
