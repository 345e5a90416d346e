import type { Data, DataType, Vector } from "apache-arrow";
import { QStreamError } from "../errors.ts";
import { countBits, measureBytes } from "./kernels.ts";
import { type Physical, physicalOf } from "./physical.ts";
import { fixedListElements, listElements, type Selection, wholeOf } from "./selection.ts";

/** Selected rows of one chunk of a column. */
export interface Part {
  readonly data: Data;
  readonly selection: Selection;
}

/** A column as it will be written: where its rows come from, and how many bytes each buffer gets. */
export interface ColumnLayout {
  readonly column: string;
  readonly physical: Physical;
  readonly parts: readonly Part[];
  readonly rows: number;
  readonly nulls: number;
  /** Byte lengths in the order in which buffers are written: validity first, where the type has it. */
  readonly buffers: readonly number[];
  readonly children: readonly ColumnLayout[];
  readonly dictionary?: DictionaryLayout;
}

export interface DictionaryLayout {
  /** The dictionaries of all parts, one behind the other. */
  readonly vectors: readonly Vector[];
  /** For each part, what is added to its indices. */
  readonly bases: readonly number[];
  /** Absent where the dictionaries are handed over by reference. */
  readonly entries?: ColumnLayout;
}

export interface LayoutOptions {
  /** True to hand dictionaries over by reference instead of writing them. */
  readonly shareDictionaries: boolean;
}

/** An offset buffer, bytes or list length of a single column; offsets are signed 32-bit numbers. */
const columnBytesMax = 2 ** 31 - 1;

/** Measures a column, and what is below it. @throws UNSUPPORTED, LIMIT_EXCEEDED */
export function layOut(type: DataType, parts: readonly Part[], column: string, options: LayoutOptions): ColumnLayout {
  const physical = physicalOf(type, column);
  let rows = 0;
  for (const part of parts) rows += part.selection.count;
  if (physical.kind === "null") {
    return { column, physical, parts, rows, nulls: rows, buffers: [], children: [] };
  }
  let nulls = 0;
  for (const part of parts) nulls += nullsOf(part);
  const validity = nulls === 0 ? 0 : Math.ceil(rows / 8);
  const common = { column, physical, parts, rows, nulls };
  const child = (index: number, select: (part: Part) => Selection): ColumnLayout => {
    const below = parts.map((part) => ({ data: childOf(part.data, index, column), selection: select(part) }));
    return layOut(childType(type, index), below, column, options);
  };
  switch (physical.kind) {
    case "bits":
      return { ...common, buffers: [validity, Math.ceil(rows / 8)], children: [] };
    case "fixed":
      return { ...common, buffers: [validity, rows * physical.width], children: [] };
    case "bytes": {
      for (const part of parts) limited(part.data.values?.byteLength ?? 0, column);
      const bytes = limited(sum(parts, bytesOfPart), column);
      return { ...common, buffers: [validity, offsetBytes(rows, physical.wide), bytes], children: [] };
    }
    case "view": {
      const bytes = limited(sum(parts, longBytesOfPart), column);
      return { ...common, buffers: [validity, rows * 16, bytes], children: [] };
    }
    case "list": {
      const elements = child(0, (part) => elementsOf(part));
      limited(elements.rows, column);
      return { ...common, buffers: [validity, offsetBytes(rows, physical.wide)], children: [elements] };
    }
    case "fixed-list":
      return {
        ...common,
        buffers: [validity],
        children: [child(0, (part) => fixedListElements(part.selection, physical.size))],
      };
    case "struct":
      return {
        ...common,
        buffers: [validity],
        children: type.children.map((_, index) => child(index, (part) => part.selection)),
      };
    case "dictionary": {
      const dictionary = layOutDictionary(type, parts, column, physical.width, options);
      return { ...common, buffers: [validity, rows * physical.width], children: [], dictionary };
    }
  }
}

function sum(parts: readonly Part[], measure: (part: Part) => number): number {
  let total = 0;
  for (const part of parts) total += measure(part);
  return total;
}

const offsetBytes = (rows: number, wide: boolean): number => (rows + 1) * (wide ? 8 : 4);

function limited(size: number, column: string): number {
  if (size <= columnBytesMax) return size;
  throw new QStreamError("LIMIT_EXCEEDED", `a batch has ${size} bytes or elements in one column`, {
    column,
    advice: "A column of one batch holds at most 2 GiB: make smaller batches.",
  });
}

/** True where a chunk has nulls and says which rows they are. */
export function hasNulls(data: Data): boolean {
  return (data.nullBitmap?.length ?? 0) > 0 && data.nullCount > 0;
}

function nullsOf({ data, selection }: Part): number {
  if (selection.count === 0 || !hasNulls(data)) return 0;
  if (selection.rows === undefined && selection.count === data.length) return data.nullCount;
  return selection.count - countBits(data.nullBitmap, data.offset, selection);
}

function childType(type: DataType, index: number): DataType {
  return (type.children[index] as { readonly type: DataType }).type;
}

function childOf(data: Data, index: number, column: string): Data {
  const child = data.children[index];
  if (child !== undefined) return child;
  throw new QStreamError("BAD_INPUT", "an Arrow column lacks its inner values", { column });
}

/** The offsets of a variable-length chunk as 32-bit numbers; those of 64 bits are read by their lower halves. */
export function offsetsOf(data: Data): { readonly offsets: Int32Array; readonly shift: number } {
  const offsets = data.valueOffsets as Int32Array | BigInt64Array | undefined;
  if (offsets === undefined) return { offsets: new Int32Array(2), shift: 0 };
  if (offsets instanceof Int32Array) return { offsets, shift: 0 };
  return { offsets: new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2), shift: 1 };
}

function bytesOfPart({ data, selection }: Part): number {
  const { offsets, shift } = offsetsOf(data);
  return measureBytes(offsets, shift, selection);
}

function elementsOf({ data, selection }: Part): Selection {
  const { offsets, shift } = offsetsOf(data);
  return listElements(selection, offsets, shift);
}

/** Values of a view column up to this length lie in the view itself. */
export const inlineMax = 12;

/** The views of a chunk as 32-bit numbers, four a row: length, then the value or its prefix, buffer and offset. */
export function viewsOf(data: Data): Int32Array {
  const views = data.values as unknown as Uint8Array;
  const copied = views.byteOffset % 4 === 0 ? views : views.slice();
  return new Int32Array(copied.buffer, copied.byteOffset, copied.byteLength >> 2);
}

function longBytesOfPart({ data, selection }: Part): number {
  const { from, count, rows } = selection;
  const views = viewsOf(data);
  const nulls = hasNulls(data) ? data.nullBitmap : undefined;
  let total = 0;
  for (let at = 0; at < count; at++) {
    const row = rows === undefined ? from + at : (rows[at] as number);
    const length = views[row * 4] as number;
    if (length > inlineMax && isValid(nulls, data.offset + row)) total += length;
  }
  return total;
}

/** Whether a bit is set; without a bitmap all are. */
export function isValid(bitmap: Uint8Array | undefined, bit: number): boolean {
  return bitmap === undefined || (((bitmap[bit >> 3] as number) >> (bit & 7)) & 1) === 1;
}

function layOutDictionary(
  type: DataType,
  parts: readonly Part[],
  column: string,
  width: number,
  options: LayoutOptions,
): DictionaryLayout {
  const { vectors, bases } = joinDictionaries(parts);
  const length = vectors.reduce((total, vector) => total + vector.length, 0);
  if (vectors.length > 1 && length > 2 ** (width * 8 - 1)) {
    throw new QStreamError("UNSUPPORTED", `the dictionaries of a batch's chunks have ${length} entries together`, {
      column,
      advice: `Its indices have ${width * 8} bits: use one dictionary for all chunks, or wider indices.`,
    });
  }
  if (options.shareDictionaries) return { vectors, bases };
  const entryType = (type as unknown as { readonly dictionary: DataType }).dictionary;
  const chunks = vectors.flatMap((vector) => vector.data.map((data) => ({ data, selection: wholeOf(data.length) })));
  return { vectors, bases, entries: layOut(entryType, chunks, column, options) };
}

/** Chunks of one table may have different dictionaries, or one that grew: those are joined, and indices moved. */
function joinDictionaries(parts: readonly Part[]): { vectors: Vector[]; bases: number[] } {
  const vectors: Vector[] = [];
  const found: number[] = [];
  for (const { data, selection } of parts) {
    const dictionary = data.dictionary;
    if (dictionary === undefined || selection.count === 0) {
      found.push(0);
      continue;
    }
    let index = vectors.findIndex((vector) => startsWith(vector, dictionary));
    if (index < 0) {
      index = vectors.findIndex((vector) => startsWith(dictionary, vector));
      if (index < 0) index = vectors.length;
      vectors[index] = dictionary;
    }
    found.push(index);
  }
  const starts: number[] = [];
  let length = 0;
  for (const vector of vectors) {
    starts.push(length);
    length += vector.length;
  }
  return { vectors, bases: found.map((index) => starts[index] ?? 0) };
}

function startsWith(longer: Vector, shorter: Vector): boolean {
  return longer === shorter || shorter.data.every((data, index) => longer.data[index] === data);
}
