import type { Data, Vector } from "apache-arrow";
import type { Key } from "../contracts/partition.ts";
import { QStreamError } from "../errors.ts";
import {
  combineHashes,
  hashBigint,
  hashBoolean,
  hashBytes,
  hashFloat64,
  hashInt32,
  hashInt64,
  hashNull,
} from "../hash.ts";
import { hashKey } from "../key.ts";
import { hasNulls, inlineMax, isValid, offsetsOf, viewsOf } from "./layout.ts";
import { typeIds } from "./physical.ts";
import { byteRanges, columnValues, millisecondReader } from "./values.ts";

/** A key column: its name and chunks. */
export interface KeyColumn {
  readonly name: string;
  readonly chunks: readonly Data[];
}

/**
 * The canonical hash of each row's key: equal to `hashKey` of the key as JavaScript value, where several columns make an array.
 * A timestamp or date is hashed as its Date.
 */
export function hashRows(columns: readonly KeyColumn[], rows: number): Uint32Array {
  const hashes = new Uint32Array(rows);
  const [first, ...others] = columns;
  if (first === undefined) return hashes.fill(hashNull);
  hashColumn(first, hashes);
  for (const column of others) {
    const next = new Uint32Array(rows);
    hashColumn(column, next);
    for (let row = 0; row < rows; row++) hashes[row] = combineHashes(hashes[row] as number, next[row] as number);
  }
  return hashes;
}

function hashColumn({ name, chunks }: KeyColumn, hashes: Uint32Array): void {
  let from = 0;
  for (const data of chunks) {
    const target = hashes.subarray(from, from + data.length);
    hashChunk(data, name, target);
    if (hasNulls(data)) overwriteNulls(data, target);
    from += data.length;
  }
}

function overwriteNulls(data: Data, hashes: Uint32Array): void {
  const nulls = data.nullBitmap;
  for (let row = 0; row < data.length; row++) {
    if (!isValid(nulls, data.offset + row)) hashes[row] = hashNull;
  }
}

/** Hashes all rows of a chunk; what is written for nulls doesn't matter, but must not fail. */
function hashChunk(data: Data, column: string, hashes: Uint32Array): void {
  switch (data.type.typeId as number) {
    case typeIds.null:
      hashes.fill(hashNull);
      return;
    case typeIds.int:
    case typeIds.time:
    case typeIds.duration:
      hashIntegers(data.values, hashes);
      return;
    case typeIds.float:
      if ((data.type as unknown as { precision: number }).precision === 0) hashValues(data, column, hashes);
      else hashFloats(data.values, hashes);
      return;
    case typeIds.bool:
      hashBits(data, hashes);
      return;
    case typeIds.date:
    case typeIds.timestamp:
      hashTimes(data, hashes);
      return;
    case typeIds.utf8:
    case typeIds.largeUtf8:
    case typeIds.binary:
    case typeIds.largeBinary:
      hashVariable(data, hashes);
      return;
    case typeIds.utf8View:
    case typeIds.binaryView:
      hashViews(data, hashes);
      return;
    case typeIds.dictionary:
      hashIndices(data, column, hashes);
      return;
    case typeIds.decimal:
    case typeIds.fixedSizeBinary:
      hashValues(data, column, hashes);
      return;
    default:
      throw new QStreamError("UNSUPPORTED", `a column of type ${String(data.type)} can't be a key`, {
        column,
        advice:
          "Keys are numbers, text, booleans, dates, timestamps, decimals, binary values or dictionaries of these.",
      });
  }
}

function hashIntegers(values: unknown, hashes: Uint32Array): void {
  if (values instanceof BigInt64Array)
    hashInt64s(new Int32Array(values.buffer, values.byteOffset, values.length * 2), hashes);
  else if (values instanceof BigUint64Array) hashUint64s(values, hashes);
  else if (values instanceof Uint32Array) hashUint32s(values, hashes);
  else if (values instanceof Int32Array) hashInt32s(values, hashes);
  else hashSmall(values as Int16Array, hashes);
}

function hashInt64s(halves: Int32Array, hashes: Uint32Array): void {
  for (let row = 0; row < hashes.length; row++) {
    hashes[row] = hashInt64(halves[row * 2] as number, halves[row * 2 + 1] as number);
  }
}

function hashUint64s(values: BigUint64Array, hashes: Uint32Array): void {
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  for (let row = 0; row < hashes.length; row++) {
    const high = halves[row * 2 + 1] as number;
    hashes[row] = high >= 0 ? hashInt64(halves[row * 2] as number, high) : hashBigint(values[row] as bigint);
  }
}

function hashUint32s(values: Uint32Array, hashes: Uint32Array): void {
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashInt64(values[row] as number, 0);
}

function hashInt32s(values: Int32Array, hashes: Uint32Array): void {
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashInt32(values[row] as number);
}

function hashSmall(values: Int16Array, hashes: Uint32Array): void {
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashInt32(values[row] as number);
}

function hashFloats(values: Float64Array, hashes: Uint32Array): void {
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashFloat64(values[row] as number);
}

function hashBits(data: Data, hashes: Uint32Array): void {
  const bits = data.values as unknown as Uint8Array;
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashBoolean(isValid(bits, data.offset + row));
}

function hashTimes(data: Data, hashes: Uint32Array): void {
  const milliseconds = millisecondReader(data);
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashFloat64(Math.trunc(milliseconds(row)));
}

function hashVariable(data: Data, hashes: Uint32Array): void {
  const bytes = data.values as unknown as Uint8Array;
  const { offsets, shift } = offsetsOf(data);
  for (let row = 0; row < hashes.length; row++) {
    hashes[row] = hashBytes(bytes, offsets[row << shift] as number, offsets[(row + 1) << shift] as number);
  }
}

function hashViews(data: Data, hashes: Uint32Array): void {
  const views = viewsOf(data);
  const inline = new Uint8Array(views.buffer, views.byteOffset, views.byteLength);
  const range = byteRanges(data);
  const nulls = hasNulls(data) ? data.nullBitmap : undefined;
  for (let row = 0; row < hashes.length; row++) {
    const length = views[row * 4] as number;
    if (length <= inlineMax) {
      hashes[row] = hashBytes(inline, row * 16 + 4, row * 16 + 4 + length);
    } else if (range !== undefined && isValid(nulls, data.offset + row)) {
      const { bytes, start, end } = range(row);
      hashes[row] = hashBytes(bytes, start, end);
    }
  }
}

// Dictionaries live as long as batches refer to them, and many batches share one: each is hashed once.
const dictionaryHashes = new WeakMap<Vector, Uint32Array>();

function hashIndices(data: Data, column: string, hashes: Uint32Array): void {
  const { dictionary } = data;
  if (dictionary === undefined) {
    hashes.fill(hashNull);
    return;
  }
  let entries = dictionaryHashes.get(dictionary);
  if (entries === undefined) {
    entries = new Uint32Array(dictionary.length);
    hashColumn({ name: column, chunks: dictionary.data }, entries);
    dictionaryHashes.set(dictionary, entries);
  }
  const indices = data.values as unknown as ArrayLike<number | bigint>;
  for (let row = 0; row < hashes.length; row++) hashes[row] = entries[Number(indices[row])] ?? hashNull;
}

/** For the rarer types: reads JavaScript values, and hashes those. */
function hashValues(data: Data, column: string, hashes: Uint32Array): void {
  const values = columnValues([data], column, "date");
  for (let row = 0; row < hashes.length; row++) hashes[row] = hashKey(values[row] as Key);
}
