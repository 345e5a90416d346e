import { isAscii } from "node:buffer";
import type { Data, Vector } from "apache-arrow";
import { QStreamError } from "../errors.ts";
import { hasNulls, inlineMax, isValid, offsetsOf, viewsOf } from "./layout.ts";
import { physicalOf, typeIds } from "./physical.ts";
import { longValue } from "./write-columns.ts";

/** What a timestamp or date becomes: milliseconds (with fractions where the unit is finer), or a Date. */
export type TimeAs = "number" | "date";

/**
 * A column's values as JavaScript values: numbers; bigints for 64-bit integers, times of day in microseconds or finer, and
 * durations; strings, also for decimals; Uint8Arrays; arrays for lists, plain objects for structs, Maps for maps; null.
 */
export function columnValues(chunks: readonly Data[], column: string, timeAs: TimeAs): ArrayLike<unknown> {
  const [only] = chunks;
  if (only === undefined) return [];
  if (chunks.length === 1 && isPlainArray(only))
    return (only.values as ArrayLike<unknown> & Int32Array).subarray(0, only.length);
  const values: unknown[] = [];
  for (const data of chunks) appendValues(data, column, timeAs, values);
  return values;
}

/** True where Arrow's own array already holds the JavaScript values. */
function isPlainArray(data: Data): boolean {
  const { type } = data;
  if (hasNulls(data)) return false;
  return (
    type.typeId === typeIds.int ||
    (type.typeId === typeIds.float && (type as unknown as { precision: number }).precision > 0)
  );
}

function appendValues(data: Data, column: string, timeAs: TimeAs, values: unknown[]): void {
  const read = valueReader(data, column, timeAs);
  const nulls = hasNulls(data) ? data.nullBitmap : undefined;
  for (let row = 0; row < data.length; row++) {
    values.push(isValid(nulls, data.offset + row) ? read(row) : null);
  }
}

type ReadValue = (row: number) => unknown;

/** A function that reads the values of one chunk, for rows that aren't null. */
function valueReader(data: Data, column: string, timeAs: TimeAs): ReadValue {
  const { type } = data;
  switch (type.typeId as number) {
    case typeIds.null:
      return () => null;
    case typeIds.int:
    case typeIds.time:
    case typeIds.duration: {
      const values = data.values as unknown as ArrayLike<unknown>;
      return (row) => values[row];
    }
    case typeIds.float:
      return floatReader(data);
    case typeIds.bool: {
      const bits = data.values as unknown as Uint8Array;
      return (row) => isValid(bits, data.offset + row);
    }
    case typeIds.date:
    case typeIds.timestamp: {
      const milliseconds = millisecondReader(data);
      return timeAs === "number" ? milliseconds : (row) => new Date(milliseconds(row));
    }
    case typeIds.decimal:
      return decimalReader(data);
    case typeIds.dictionary: {
      const entries = dictionaryValues(data.dictionary, column, timeAs);
      const indices = data.values as unknown as ArrayLike<number | bigint>;
      return (row) => entries[Number(indices[row])];
    }
    default:
      return bytesReader(data) ?? nestedReader(data, column, timeAs);
  }
}

function floatReader(data: Data): ReadValue {
  const values = data.values as unknown as ArrayLike<number>;
  if ((data.type as unknown as { precision: number }).precision > 0) return (row) => values[row];
  return (row) => halfToNumber(values[row] as number);
}

/** The number that the 16 bits of a half-precision float stand for. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const perMillisecond = [0.001, 1, 1000, 1_000_000] as const;

/** Reads dates and timestamps as milliseconds since 1970, as Arrow does. */
export function millisecondReader(data: Data): (row: number) => number {
  const { unit } = data.type as unknown as { readonly unit: number };
  if (data.type.typeId === typeIds.date) {
    if (unit === 0) {
      const days = data.values as unknown as Int32Array;
      return (row) => (days[row] as number) * 86_400_000;
    }
    const milliseconds = data.values as unknown as BigInt64Array;
    return (row) => Number(milliseconds[row]);
  }
  const values = data.values as unknown as BigInt64Array;
  const divisor = perMillisecond[unit] ?? 1;
  if (divisor < 1) return (row) => Number(values[row]) * 1000;
  const exact = BigInt(divisor);
  return (row) => {
    const value = values[row] as bigint;
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number / divisor;
    return Number(value / exact) + Number(value % exact) / divisor;
  };
}

function decimalReader(data: Data): ReadValue {
  const words = data.values as unknown as Uint32Array;
  const { scale, bitWidth } = data.type as unknown as { readonly scale: number; readonly bitWidth: number };
  const stride = bitWidth / 32;
  return (row) => {
    let unscaled = 0n;
    for (let word = stride - 1; word >= 0; word--)
      unscaled = (unscaled << 32n) | BigInt(words[row * stride + word] as number);
    return decimalText(BigInt.asIntN(bitWidth, unscaled), scale);
  };
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function dictionaryValues(dictionary: Vector | undefined, column: string, timeAs: TimeAs): ArrayLike<unknown> {
  return columnValues(dictionary?.data ?? [], column, timeAs);
}

/** Where the bytes of a text or binary value lie. */
export interface ByteRange {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A function that finds the bytes of the values of a text or binary chunk; undefined for other types. */
export function byteRanges(data: Data): ((row: number) => ByteRange) | undefined {
  switch (data.type.typeId as number) {
    case typeIds.utf8:
    case typeIds.binary:
    case typeIds.largeUtf8:
    case typeIds.largeBinary: {
      const { offsets, shift } = offsetsOf(data);
      const bytes = data.values as unknown as Uint8Array;
      return (row) => ({ bytes, start: offsets[row << shift] as number, end: offsets[(row + 1) << shift] as number });
    }
    case typeIds.utf8View:
    case typeIds.binaryView: {
      const views = viewsOf(data);
      const inline = new Uint8Array(views.buffer, views.byteOffset, views.byteLength);
      return (row) => {
        const length = views[row * 4] as number;
        if (length <= inlineMax) return { bytes: inline, start: row * 16 + 4, end: row * 16 + 4 + length };
        return { bytes: longValue(data, views, row), start: 0, end: length };
      };
    }
    case typeIds.fixedSizeBinary: {
      const { byteWidth } = data.type as unknown as { readonly byteWidth: number };
      const bytes = data.values as unknown as Uint8Array;
      return (row) => ({ bytes, start: row * byteWidth, end: (row + 1) * byteWidth });
    }
    default:
      return undefined;
  }
}

function bytesReader(data: Data): ReadValue | undefined {
  const range = byteRanges(data);
  if (range === undefined) return undefined;
  switch (data.type.typeId as number) {
    case typeIds.utf8:
    case typeIds.largeUtf8:
      return textReader(data);
    case typeIds.utf8View:
      return (row) => {
        const { bytes, start, end } = range(row);
        return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
      };
    default:
      return (row) => {
        const { bytes, start, end } = range(row);
        return bytes.slice(start, end);
      };
  }
}

/** V8 copies shorter substrings; longer ones would keep the text of the whole chunk alive. */
const copiedLength = 13;

function textReader(data: Data): ReadValue {
  const { offsets, shift } = offsetsOf(data);
  const { buffer, byteOffset, byteLength } = data.values as unknown as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const first = offsets[0] ?? 0;
  const used = bytes.subarray(first, offsets[data.length << shift] ?? first);
  if (!isAscii(used)) {
    return (row) => bytes.toString("utf8", offsets[row << shift], offsets[(row + 1) << shift]);
  }
  const whole = used.toString("latin1");
  return (row) => {
    const start = offsets[row << shift] as number;
    const end = offsets[(row + 1) << shift] as number;
    return end - start < copiedLength
      ? whole.substring(start - first, end - first)
      : bytes.toString("latin1", start, end);
  };
}

function nestedReader(data: Data, column: string, timeAs: TimeAs): ReadValue {
  const { type } = data;
  const physical = physicalOf(type, column);
  const child = (index: number): ArrayLike<unknown> => columnValues([data.children[index] as Data], column, timeAs);
  switch (physical.kind) {
    case "fixed": {
      const values = data.values as unknown as Int32Array;
      const words = physical.width >> 2;
      return (row) => Array.from(values.subarray(row * words, (row + 1) * words));
    }
    case "list": {
      const elements = child(0);
      const { offsets, shift } = offsetsOf(data);
      const list = (row: number): unknown[] =>
        slice(elements, offsets[row << shift] ?? 0, offsets[(row + 1) << shift] ?? 0);
      if (type.typeId !== typeIds.map) return list;
      return (row) => new Map(list(row).map((entry) => Object.values(entry as object) as [unknown, unknown]));
    }
    case "fixed-list": {
      const elements = child(0);
      return (row) => slice(elements, row * physical.size, (row + 1) * physical.size);
    }
    case "struct": {
      const names = type.children.map((field) => (field as { readonly name: string }).name);
      return objectReader(
        names,
        names.map((_, index) => child(index)),
      );
    }
    default:
      throw new QStreamError("UNSUPPORTED", `values of type ${String(type)} can't be read`, { column });
  }
}

function slice(values: ArrayLike<unknown>, from: number, to: number): unknown[] {
  const taken: unknown[] = [];
  for (let at = from; at < to; at++) taken.push(values[at]);
  return taken;
}

/** A function that makes the plain object of a row from columns of values. */
export function objectReader(
  names: readonly string[],
  columns: readonly ArrayLike<unknown>[],
): (row: number) => Record<string, unknown> {
  const harmless = !names.includes("__proto__");
  return (row) => {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string;
      const value = (columns[index] as ArrayLike<unknown>)[row];
      if (harmless) object[name] = value;
      else Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return object;
  };
}
