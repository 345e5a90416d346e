import { isUtf8 } from "node:buffer";
import type { FlatBytes, FlatTable, FlatVector } from "./flat-bytes.ts";
import type { IpcField } from "./ipc-schema.ts";
import { countBits } from "./kernels.ts";
import { inlineMax, isValid } from "./layout.ts";
import { typeIds } from "./physical.ts";

/** A record batch's metadata, checked against its body. */
export interface IpcBatch {
  readonly rows: number;
  readonly compressed: boolean;
}

/** Rows that a batch may have beyond eight a byte of its body: columns of nulls have no bytes. */
const bodylessRowsMax = 1 << 20;
const rowsMax = 2 ** 31 - 1;

/**
 * Checks the columns of a record batch (or of a dictionary's entries): buffers lie in the body and are long enough, offsets
 * rise and stay within values, indices within dictionaries, text is UTF-8.
 * @param dictionaries - entries of each dictionary so far
 */
export function verifyBatch(
  flat: FlatBytes,
  batch: FlatTable,
  body: Uint8Array,
  fields: readonly IpcField[],
  dictionaries: ReadonlyMap<number, number>,
  legacy: boolean,
): IpcBatch {
  const rows = batch.size(0);
  const compression = batch.table(3);
  if (compression !== undefined && (compression.byte(0, 0) > 1 || compression.byte(1, 0) !== 0)) {
    flat.fail("it is compressed in an unknown way");
  }
  const compressed = compression !== undefined;
  const densest = compressed ? Number.POSITIVE_INFINITY : body.byteLength * 8 + bodylessRowsMax;
  if (rows > Math.min(rowsMax, densest)) flat.fail(`a batch says it has ${rows} rows in ${body.byteLength} bytes`);
  const verifier = new ColumnVerifier(flat, batch, body, dictionaries, compressed, legacy);
  for (const field of fields) verifier.column(field, rows, true);
  verifier.finish();
  return { rows, compressed };
}

class ColumnVerifier {
  readonly #flat: FlatBytes;
  readonly #body: Uint8Array;
  readonly #nodes: FlatVector;
  readonly #buffers: FlatVector;
  readonly #variadic: FlatVector;
  readonly #dictionaries: ReadonlyMap<number, number>;
  readonly #compressed: boolean;
  readonly #legacy: boolean;
  #node = 0;
  #buffer = 0;
  #variadicNext = 0;
  #name = "";

  constructor(
    flat: FlatBytes,
    batch: FlatTable,
    body: Uint8Array,
    dictionaries: ReadonlyMap<number, number>,
    compressed: boolean,
    legacy: boolean,
  ) {
    this.#flat = flat;
    this.#body = body;
    this.#nodes = batch.vector(1, 16);
    this.#buffers = batch.vector(2, 16);
    this.#variadic = batch.vector(4, 8);
    this.#dictionaries = dictionaries;
    this.#compressed = compressed;
    this.#legacy = legacy;
  }

  /** Checks a column of at least (top level: exactly) so many rows; returns its rows. */
  column(field: IpcField, expected: number, exact: boolean): number {
    if (field.name !== "") this.#name = field.name;
    const { at, length } = this.#nodes;
    const node = this.#node++;
    if (node >= length) this.#fail("is missing");
    const rows = this.#flat.size(at + node * 16);
    const nulls = this.#flat.size(at + node * 16 + 8);
    if (rows < expected || (exact && rows !== expected)) this.#fail(`has ${rows} rows of ${expected}`);
    if (rows > rowsMax || (nulls > rows && field.typeId !== typeIds.null))
      this.#fail(`has ${rows} rows and ${nulls} nulls`);
    if (field.dictionary !== undefined) this.#dictionary(field.dictionary, rows, this.#validity(rows, nulls));
    else this.#values(field, rows, nulls);
    return rows;
  }

  finish(): void {
    const rest = this.#node !== this.#nodes.length || this.#buffer !== this.#buffers.length;
    if (rest || this.#variadicNext !== this.#variadic.length) this.#flat.fail("a batch has more parts than its schema");
  }

  #fail(what: string): never {
    return this.#flat.fail(`column "${this.#name}" ${what}`);
  }

  #values(field: IpcField, rows: number, nulls: number): void {
    const { typeId } = field;
    if (typeId === typeIds.null) return;
    if (typeId === typeIds.union) {
      this.#union(field, rows);
      return;
    }
    const validity = this.#validity(rows, nulls);
    switch (typeId) {
      case typeIds.bool:
        this.#next(Math.ceil(rows / 8));
        return;
      case typeIds.binary:
      case typeIds.utf8:
      case typeIds.largeBinary:
      case typeIds.largeUtf8:
        this.#bytes(typeId, rows);
        return;
      case typeIds.binaryView:
      case typeIds.utf8View:
        this.#views(rows, validity, typeId === typeIds.utf8View);
        return;
      case typeIds.list:
      case typeIds.map:
      case typeIds.largeList: {
        const end = this.#offsets(rows, typeId === typeIds.largeList ? 8 : 4);
        this.#child(field, 0, end);
        return;
      }
      case typeIds.fixedSizeList:
        this.#child(field, 0, rows * field.width);
        return;
      case typeIds.struct:
        for (const index of field.children.keys()) this.#child(field, index, rows);
        return;
      default:
        this.#next(rows * field.width);
    }
  }

  #child(field: IpcField, index: number, rows: number): number {
    return this.column(field.children[index] as IpcField, rows, false);
  }

  /** The next buffer, of at least so many bytes; undefined where its content is compressed. */
  #next(atLeast: number): Uint8Array | undefined {
    const index = this.#buffer++;
    if (index >= this.#buffers.length) this.#fail("lacks a buffer");
    const offset = this.#flat.size(this.#buffers.at + index * 16);
    const length = this.#flat.size(this.#buffers.at + index * 16 + 8);
    if (offset + length > this.#body.byteLength) this.#fail("has a buffer that reaches beyond its batch");
    if (length > 0 && offset % 8 !== 0) this.#fail("has a buffer that isn't aligned to eight bytes");
    const bytes = this.#body.subarray(offset, offset + length);
    if (this.#compressed) {
      this.#uncompressedLength(bytes, atLeast);
      return undefined;
    }
    if (length < atLeast) this.#fail(`has a buffer of ${length} bytes where ${atLeast} are needed`);
    return bytes;
  }

  #uncompressedLength(bytes: Uint8Array, atLeast: number): void {
    if (bytes.byteLength === 0 && atLeast === 0) return;
    if (bytes.byteLength < 8) this.#fail("has a compressed buffer that is cut off");
    const said = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
    const length = said === -1n ? bytes.byteLength - 8 : Number(said);
    if (length < atLeast || length > rowsMax) this.#fail(`has a compressed buffer of ${length} bytes`);
  }

  #validity(rows: number, nulls: number): Uint8Array | undefined {
    const bits = this.#next(nulls === 0 ? 0 : Math.ceil(rows / 8));
    if (nulls === 0 || bits === undefined) return undefined;
    const valid = countBits(bits, 0, { from: 0, count: rows, rows: undefined });
    if (valid !== rows - nulls) this.#fail(`says it has ${nulls} nulls, but ${rows - valid} are marked`);
    return bits;
  }

  #bytes(typeId: number, rows: number): void {
    const width = typeId === typeIds.largeBinary || typeId === typeIds.largeUtf8 ? 8 : 4;
    const offsets = this.#next(rows === 0 ? 0 : (rows + 1) * width);
    const values = this.#next(0);
    if (offsets === undefined || values === undefined || rows === 0) return;
    const starts = this.#rising(offsets, rows, width);
    if (starts.end > values.byteLength) this.#fail("has values that reach beyond their buffer");
    if (typeId === typeIds.utf8 || typeId === typeIds.largeUtf8) this.#utf8(values, starts, rows);
  }

  #utf8(values: Uint8Array, { words, shift, start, end }: RisingOffsets, rows: number): void {
    if (!isUtf8(values.subarray(start, end))) this.#fail("has text that isn't UTF-8");
    for (let row = 1; row < rows; row++) {
      const at = words[row << shift] as number;
      if (at < end && ((values[at] as number) & 0xc0) === 0x80) this.#fail(`has text that isn't UTF-8 in row ${row}`);
    }
  }

  #offsets(rows: number, width: number): number {
    const offsets = this.#next(rows === 0 ? 0 : (rows + 1) * width);
    return offsets === undefined || rows === 0 ? 0 : this.#rising(offsets, rows, width).end;
  }

  /** Checks that offsets rise from zero or more, and that 64-bit ones stay below 2 GiB. */
  #rising(offsets: Uint8Array, rows: number, width: number): RisingOffsets {
    const shift = width === 8 ? 1 : 0;
    const aligned = offsets.byteOffset % 4 === 0 ? offsets : offsets.slice();
    const words = new Int32Array(aligned.buffer, aligned.byteOffset, (rows + 1) << shift);
    let last = words[0] as number;
    if (last < 0) this.#fail("has negative offsets");
    let high = 0;
    for (let row = 0; row <= rows; row++) {
      const next = words[row << shift] as number;
      if (shift === 1) high |= words[(row << 1) + 1] as number;
      if (next < last) this.#fail(`has offsets that go back in row ${row}`);
      last = next;
    }
    if (high !== 0) this.#fail("has offsets beyond 2 GiB");
    return { words, shift, start: words[0] as number, end: last };
  }

  #views(rows: number, validity: Uint8Array | undefined, text: boolean): void {
    const bytes = this.#next(rows * 16);
    const index = this.#variadicNext++;
    if (index >= this.#variadic.length) this.#fail("lacks the number of its buffers");
    const count = this.#flat.size(this.#variadic.at + index * 8);
    if (count > this.#buffers.length) this.#fail(`says it has ${count} buffers`);
    const buffers = Array.from({ length: count }, () => this.#next(0));
    if (bytes === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let row = 0; row < rows; row++) {
      if (!isValid(validity, row)) continue;
      const value = viewValue(view, bytes, row * 16, buffers);
      if (value === undefined || (text && !isUtf8(value))) this.#fail(`has a wrong value in row ${row}`);
    }
  }

  #dictionary(dictionary: NonNullable<IpcField["dictionary"]>, rows: number, validity: Uint8Array | undefined): void {
    const { id, width, signed } = dictionary;
    const indices = this.#next(rows * width);
    if (indices === undefined) return;
    const entries = this.#dictionaries.get(id) ?? 0;
    const view = new DataView(indices.buffer, indices.byteOffset, indices.byteLength);
    const read = indexReader(view, width, signed);
    for (let row = 0; row < rows; row++) {
      const index = read(row);
      if ((index < 0 || index >= entries) && isValid(validity, row)) {
        this.#fail(`has the index ${index} in row ${row}, but its dictionary has ${entries} entries`);
      }
    }
  }

  #union(field: IpcField, rows: number): void {
    const { dense, ids } = field.union as NonNullable<IpcField["union"]>;
    if (this.#legacy) this.#next(0);
    const types = this.#next(rows);
    const offsets = dense ? this.#next(rows * 4) : undefined;
    const lengths = field.children.map((_, index) => this.#child(field, index, dense ? 0 : rows));
    if (types === undefined) return;
    const view =
      offsets === undefined ? undefined : new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    for (let row = 0; row < rows; row++) {
      const child = ids.indexOf(types[row] as number);
      if (child < 0) this.#fail(`has an unknown type in row ${row}`);
      const offset = view?.getInt32(row * 4, true) ?? 0;
      if (dense && (offset < 0 || offset >= (lengths[child] as number))) this.#fail(`has a wrong offset in row ${row}`);
    }
  }
}

interface RisingOffsets {
  /** Offsets, each at its row `<< shift`. */
  readonly words: Int32Array;
  readonly shift: number;
  readonly start: number;
  readonly end: number;
}

function indexReader(view: DataView, width: number, signed: boolean): (row: number) => number {
  switch (width) {
    case 1:
      return signed ? (row) => view.getInt8(row) : (row) => view.getUint8(row);
    case 2:
      return signed ? (row) => view.getInt16(row * 2, true) : (row) => view.getUint16(row * 2, true);
    case 4:
      return signed ? (row) => view.getInt32(row * 4, true) : (row) => view.getUint32(row * 4, true);
    default:
      return (row) => Number(view.getBigInt64(row * 8, true));
  }
}

/** The bytes of a view's value; undefined where the view is wrong. */
function viewValue(
  view: DataView,
  bytes: Uint8Array,
  at: number,
  buffers: readonly (Uint8Array | undefined)[],
): Uint8Array | undefined {
  const length = view.getInt32(at, true);
  if (length < 0) return undefined;
  if (length <= inlineMax) return bytes.subarray(at + 4, at + 4 + length);
  const buffer = buffers[view.getInt32(at + 8, true)];
  const start = view.getInt32(at + 12, true);
  if (buffer === undefined || start < 0 || start + length > buffer.byteLength) return undefined;
  for (let index = 0; index < 4; index++) if (buffer[start + index] !== bytes[at + 4 + index]) return undefined;
  return buffer.subarray(start, start + length);
}
