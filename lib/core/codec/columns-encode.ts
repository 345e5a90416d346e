import { type BytesKind, bytesKindOf, bytesOf } from "./bytes.ts";
import { serializeValues } from "./clone.ts";
import { columnKind, type FrameWriter } from "./frame.ts";
import { Inspection } from "./travel.ts";

/**
 * What a value is, as far as columns go; a mixed column holds this for each row. Kinds of bytes are `bytes` plus their kind.
 */
export const valueTag = {
  number: 0,
  string: 1,
  boolean: 2,
  bigint: 3,
  date: 4,
  null: 5,
  undefined: 6,
  other: 7,
  bytes: 16,
} as const;

const longBytes = 2 ** 32;

function tagOf(value: unknown): number {
  switch (typeof value) {
    case "number":
      return valueTag.number;
    case "string":
      return valueTag.string;
    case "boolean":
      return valueTag.boolean;
    case "bigint":
      return BigInt.asIntN(64, value) === value ? valueTag.bigint : valueTag.other;
    case "undefined":
      return valueTag.undefined;
    case "object":
      return value === null ? valueTag.null : tagOfObject(value);
    default:
      return valueTag.other;
  }
}

function tagOfObject(value: object): number {
  if (value instanceof Date) return Object.getPrototypeOf(value) === Date.prototype ? valueTag.date : valueTag.other;
  const kind = bytesKindOf(value);
  return kind === undefined || (value as ArrayBuffer).byteLength >= longBytes ? valueTag.other : valueTag.bytes + kind;
}

/** Writes the columns of one parcel. One column at a time; what must be cloned is inspected over all of them. */
export class ColumnsEncoder {
  readonly #frame: FrameWriter;
  /** Objects whose properties the columns are: a column that holds one of them can't be cloned by itself. */
  readonly #owners: readonly unknown[];
  #inspection: Inspection | undefined;

  constructor(frame: FrameWriter, owners: readonly unknown[]) {
    this.#frame = frame;
    this.#owners = owners;
  }

  /** Writes a column of numbers: as 32-bit integers where all are such. */
  floats(values: Float64Array, count: number): void {
    if (areInt32(values, count)) {
      const at = this.#frame.reserve(count * 4);
      const target = new Int32Array(this.#frame.bytes.buffer, at, count);
      for (let row = 0; row < count; row += 1) target[row] = values[row] ?? 0;
      this.#frame.column(columnKind.int32, count, count * 4);
      return;
    }
    const at = this.#frame.reserve(count * 8);
    new Float64Array(this.#frame.bytes.buffer, at, count).set(
      count === values.length ? values : values.subarray(0, count),
    );
    this.#frame.column(columnKind.float64, count, count * 8);
  }

  /**
   * Writes a column of any values. False if they can't be cloned without the other columns, because they share objects.
   *
   * @param path where the column's values are in an object, for errors
   */
  values(values: readonly unknown[], path: string): boolean {
    const first = values.length === 0 ? valueTag.null : tagOf(values[0]);
    if (first === valueTag.string) {
      const units = unitsOf(values);
      if (units === undefined) return this.#mixed(values, path);
      this.#strings(values as readonly string[], units);
      return true;
    }
    for (let row = 1; row < values.length; row += 1) {
      if (tagOf(values[row]) !== first) return this.#mixed(values, path);
    }
    return this.#uniform(first, values, path);
  }

  /** Writes values by structured clone, whatever they are. False as in `values`. */
  clone(values: readonly unknown[], path: string): boolean {
    this.#inspection ??= this.#newInspection();
    this.#inspection.nextGroup();
    for (const value of values) this.#inspection.inspect(value, path);
    if (this.#inspection.shared) return false;
    this.#frame.append(columnKind.clone, values.length, serializeValues(values, this.#inspection));
    return true;
  }

  #newInspection(): Inspection {
    const inspection = new Inspection();
    for (const owner of this.#owners) {
      if (typeof owner === "object" && owner !== null) inspection.claim(owner);
    }
    return inspection;
  }

  #mixed(values: readonly unknown[], path: string): boolean {
    const count = values.length;
    const at = this.#frame.reserve(count);
    const tags = this.#frame.bytes;
    const parts: unknown[][] = [];
    for (let row = 0; row < count; row += 1) {
      const value = values[row];
      const tag = tagOf(value);
      tags[at + row] = tag;
      (parts[tag] ??= []).push(value);
    }
    this.#frame.column(columnKind.mixed, count, count);
    // In the order of tags, which is how the decoder tells whose they are; the array has holes where a tag is missing.
    return parts.every((part, tag) => this.#uniform(tag, part, path));
  }

  #uniform(tag: number, values: readonly unknown[], path: string): boolean {
    switch (tag) {
      case valueTag.number:
        this.floats(Float64Array.from(values as readonly number[]), values.length);
        return true;
      case valueTag.string:
        this.#strings(values as readonly string[], unitsOf(values) ?? 0);
        return true;
      case valueTag.boolean:
        this.#frame.append(columnKind.boolean, values.length, Uint8Array.from(values as readonly boolean[], Number));
        return true;
      case valueTag.bigint:
        this.#frame.append(columnKind.int64, values.length, bytesOf(BigInt64Array.from(values as readonly bigint[])));
        return true;
      case valueTag.date:
        this.#frame.append(
          columnKind.date,
          values.length,
          bytesOf(Float64Array.from(values as readonly Date[], Number)),
        );
        return true;
      case valueTag.null:
      case valueTag.undefined:
        this.#frame.column(tag === valueTag.null ? columnKind.null : columnKind.undefined, values.length, 0);
        return true;
      case valueTag.other:
        return this.clone(values, path);
      default:
        this.#bytes(tag - valueTag.bytes, values as readonly ArrayBuffer[]);
        return true;
    }
  }

  #strings(values: readonly string[], units: number): void {
    const count = values.length;
    const lengthsBytes = count * 4;
    const at = this.#frame.reserve(lengthsBytes + units * 2);
    const lengths = new Uint32Array(this.#frame.bytes.buffer, at, count);
    if (writeLatin1(this.#frame.bytes, at + lengthsBytes, values, lengths)) {
      this.#frame.column(columnKind.latin1, count, lengthsBytes + units);
    } else {
      writeUtf16(this.#frame.bytes, at + lengthsBytes, values, lengths);
      this.#frame.column(columnKind.utf16, count, lengthsBytes + units * 2);
    }
  }

  #bytes(kind: BytesKind, values: readonly ArrayBuffer[]): void {
    const lengthsBytes = values.length * 4;
    const total = values.reduce((sum, value) => sum + value.byteLength, lengthsBytes);
    let at = this.#frame.reserve(total);
    const lengths = new Uint32Array(this.#frame.bytes.buffer, at, values.length);
    at += lengthsBytes;
    for (const [row, value] of values.entries()) {
      lengths[row] = value.byteLength;
      this.#frame.bytes.set(bytesOf(value), at);
      at += value.byteLength;
    }
    this.#frame.column(columnKind.bytes + kind, values.length, total);
  }
}

function areInt32(values: Float64Array, count: number): boolean {
  for (let row = 0; row < count; row += 1) {
    const value = values[row] ?? 0;
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) return false;
  }
  return true;
}

/** Characters of all values together; undefined if one isn't a string. */
function unitsOf(values: readonly unknown[]): number | undefined {
  let units = 0;
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row];
    if (typeof value !== "string") return undefined;
    units += value.length;
  }
  return units;
}

/** Characters up to which writing one by one beats a call into native code. */
const shortString = 96;

/** Writes strings one byte a character. False, with something written, if a character doesn't fit. */
function writeLatin1(bytes: Uint8Array, from: number, values: readonly string[], lengths: Uint32Array): boolean {
  let native: Buffer | undefined;
  let at = from;
  let seen = 0;
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] ?? "";
    const { length } = value;
    lengths[row] = length;
    if (length <= shortString) {
      for (let index = 0; index < length; index += 1) {
        const code = value.charCodeAt(index);
        seen |= code;
        bytes[at + index] = code;
      }
    } else {
      // As long in UTF-8 as in characters: all of it is ASCII.
      if (Buffer.byteLength(value) !== length) return false;
      native ??= Buffer.from(bytes.buffer as ArrayBuffer);
      native.write(value, at, length, "latin1");
    }
    at += length;
  }
  return seen <= 0xff;
}

/** Writes strings two bytes a character, in which lone surrogates stay what they are. */
function writeUtf16(bytes: Uint8Array, from: number, values: readonly string[], lengths: Uint32Array): void {
  const native = Buffer.from(bytes.buffer as ArrayBuffer);
  const units = new Uint16Array(bytes.buffer);
  let at = from;
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] ?? "";
    const { length } = value;
    lengths[row] = length;
    if (length <= shortString) {
      for (let index = 0; index < length; index += 1) units[(at >> 1) + index] = value.charCodeAt(index);
    } else {
      native.write(value, at, length * 2, "utf16le");
    }
    at += length * 2;
  }
}
