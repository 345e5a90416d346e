import { QStreamError } from "../errors.ts";

/**
 * The layout of a parcel's buffer: header, texts (shape and codec name), columns' data, the table of columns, end mark.
 * Everything begins at a multiple of eight bytes. Numbers are in this machine's byte order, which the magic number shows.
 */

const magic = 0x31535051;
const version = 1;
const endMark = 0x444e4551;
const headerBytes = 40;
const entryNumbers = 4;

/** Rows that a parcel may have. */
export const frameRowsMax = 2 ** 27;

/** Kinds of columns in a frame. Kinds from `bytes` on are `bytes` plus the kind of bytes. */
export const columnKind = {
  float64: 0,
  int32: 1,
  boolean: 2,
  latin1: 3,
  utf16: 4,
  int64: 5,
  date: 6,
  null: 7,
  undefined: 8,
  clone: 9,
  mixed: 10,
  bytes: 16,
} as const;

/** One column: its kind, its number of values, and where its data is. Columns of a mixed one follow it. */
export interface ColumnEntry {
  readonly kind: number;
  readonly count: number;
  readonly offset: number;
  readonly length: number;
}

const keptBytes = 8 << 20;

/** Writes a frame into memory that is used again, and copies it out at the end. */
export class FrameWriter {
  #bytes = new Uint8Array(1 << 16);
  #position = 0;
  #entries: number[] = [];
  #shapeBytes = 0;
  #codecBytes = 0;
  #cloned = false;

  /** True if a column is structured clone, whose bytes may differ where the values don't: they tell how numbers are held. */
  get cloned(): boolean {
    return this.#cloned;
  }

  begin(shape: string, codec: string): void {
    if (this.#bytes.length > keptBytes) this.#bytes = new Uint8Array(1 << 16);
    this.#entries = [];
    this.#cloned = false;
    this.#position = headerBytes;
    this.#shapeBytes = this.#writeText(shape);
    this.#codecBytes = this.#writeText(codec);
  }

  /** The frame's memory; valid until the next `reserve`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Makes room for bytes at the end, and returns the position at which they begin. */
  reserve(length: number): number {
    const needed = this.#position + length + 16;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#bytes.length * 2, needed + (256 << 20))));
      grown.set(this.#bytes.subarray(0, this.#position));
      this.#bytes = grown;
    }
    return this.#position;
  }

  /** Ends a column whose `length` bytes were written at the position that `reserve` gave. */
  column(kind: number, count: number, length: number): void {
    if (kind === columnKind.clone) this.#cloned = true;
    this.#entries.push(kind, count, this.#position, length);
    this.#position += length;
    this.#align();
  }

  append(kind: number, count: number, data: Uint8Array): void {
    const at = this.reserve(data.length);
    this.#bytes.set(data, at);
    this.column(kind, count, data.length);
  }

  /** The finished frame, in a buffer of just its size, behind so many bytes of room. */
  finish(rows: number, room: number = 0): ArrayBuffer {
    const tableBytes = this.#entries.length * 8;
    const table = this.reserve(tableBytes);
    const { buffer } = this.#bytes;
    new Float64Array(buffer, table, this.#entries.length).set(this.#entries);
    const end = table + tableBytes;
    const length = end + 8;
    const header = new Uint32Array(buffer, 0, headerBytes / 4);
    header.set([magic, version, rows, this.#entries.length / entryNumbers, this.#shapeBytes, this.#codecBytes]);
    new Float64Array(buffer, 24, 2).set([length, table]);
    new Uint32Array(buffer, end, 2).set([endMark, rows]);
    if (room === 0) return buffer.slice(0, length);
    const roomy = new Uint8Array(room + length);
    roomy.set(this.#bytes.subarray(0, length), room);
    return roomy.buffer;
  }

  #writeText(text: string): number {
    if (text === "") return 0;
    const bytes = Buffer.from(text);
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
    this.#position += bytes.length;
    this.#align();
    return bytes.length;
  }

  /** What lies between columns is zero, so that equal objects give equal bytes. */
  #align(): void {
    while ((this.#position & 7) !== 0) {
      this.#bytes[this.#position] = 0;
      this.#position += 1;
    }
  }
}

/** A frame whose bounds were all checked. */
export interface Frame {
  readonly bytes: Buffer;
  readonly rows: number;
  readonly shape: string;
  readonly codec: string;
  readonly entries: readonly ColumnEntry[];
}

export function invalidFrame(what: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `a parcel's bytes are damaged: ${what}`, {
    advice: "They were changed or cut on their way or on disk, or were written by another version of QStream",
  });
}

/** Reads a frame's header and table, and checks that every part lies within the frame. */
export function readFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < headerBytes + 8 || buffer.byteLength % 8 !== 0)
    throw invalidFrame(`${buffer.byteLength} bytes are no frame`);
  const [mark, writtenVersion, rows = 0, entryCount = 0, shapeBytes = 0, codecBytes = 0] = new Uint32Array(
    buffer,
    0,
    6,
  );
  if (mark !== magic) throw invalidFrame("the magic number is missing");
  if (writtenVersion !== version) throw invalidFrame(`version ${writtenVersion} is not ${version}`);
  const [length = 0, table = 0] = new Float64Array(buffer, 24, 2);
  const end = buffer.byteLength - 8;
  if (length !== buffer.byteLength) throw invalidFrame(`${buffer.byteLength} bytes came instead of ${length}`);
  const [endRead, endRows] = new Uint32Array(buffer, end, 2);
  if (endRead !== endMark || endRows !== rows) throw invalidFrame("the end mark is missing");
  if (rows > frameRowsMax) throw invalidFrame(`it says it has ${rows} rows`);
  const codecAt = headerBytes + aligned(shapeBytes);
  const dataAt = codecAt + aligned(codecBytes);
  if (!Number.isInteger(table) || table % 8 !== 0 || table < dataAt || table + entryCount * entryNumbers * 8 !== end) {
    throw invalidFrame("the table of columns is not where it should be");
  }
  const bytes = Buffer.from(buffer);
  return {
    bytes,
    rows,
    shape: shapeBytes === 0 ? "" : bytes.toString("utf8", headerBytes, headerBytes + shapeBytes),
    codec: codecBytes === 0 ? "" : bytes.toString("utf8", codecAt, codecAt + codecBytes),
    entries: readEntries(new Float64Array(buffer, table, entryCount * entryNumbers), rows, dataAt, table),
  };
}

function readEntries(numbers: Float64Array, rows: number, from: number, to: number): ColumnEntry[] {
  const entries: ColumnEntry[] = [];
  for (let at = 0; at < numbers.length; at += entryNumbers) {
    const [kind = 0, count = 0, offset = 0, length = 0] = numbers.subarray(at, at + entryNumbers);
    const inside =
      Number.isInteger(offset) && Number.isInteger(length) && offset >= from && length >= 0 && offset + length <= to;
    if (!inside || offset % 8 !== 0) throw invalidFrame(`column ${entries.length} lies outside`);
    if (!Number.isInteger(count) || count < 0 || count > rows)
      throw invalidFrame(`column ${entries.length} has ${count} values`);
    entries.push({ kind, count, offset, length });
  }
  return entries;
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
