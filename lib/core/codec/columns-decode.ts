import { rebuildBytes } from "./bytes.ts";
import { deserializeValues } from "./clone.ts";
import { valueTag } from "./columns-encode.ts";
import { type ColumnEntry, columnKind, type Frame, invalidFrame } from "./frame.ts";
import type { Column } from "./shape.ts";

/** Buffers' own fast readers; Node's types don't have them. */
type NativeBuffer = Buffer & {
  latin1Slice: (from: number, to: number) => string;
  ucs2Slice: (from: number, to: number) => string;
};

/** Reads the columns of a frame, in their order. */
export class ColumnsDecoder {
  readonly #frame: Frame;
  #next = 0;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  /** The next column, which must have `count` values. Number columns are views of the frame. */
  column(count: number): Column {
    const entry = this.#frame.entries[this.#next];
    if (entry === undefined || entry.count !== count)
      throw invalidFrame(`column ${this.#next} doesn't have ${count} values`);
    this.#next += 1;
    return this.#read(entry);
  }

  /** Throws if columns are left. */
  end(): void {
    if (this.#next !== this.#frame.entries.length) throw invalidFrame("it has more columns than its objects");
  }

  #read(entry: ColumnEntry): Column {
    const { kind, count, offset } = entry;
    const { buffer } = this.#frame.bytes;
    switch (kind) {
      case columnKind.float64:
        checkLength(entry, count * 8);
        return new Float64Array(buffer, offset, count);
      case columnKind.int32:
        checkLength(entry, count * 4);
        return new Int32Array(buffer, offset, count);
      case columnKind.boolean:
        checkLength(entry, count);
        return Array.from(this.#bytes(entry), (byte) => byte !== 0);
      case columnKind.latin1:
        return readLatin1(this.#frame.bytes as NativeBuffer, entry, this.#lengths(entry, 1));
      case columnKind.utf16:
        return readUtf16(this.#frame.bytes as NativeBuffer, entry, this.#lengths(entry, 2));
      case columnKind.int64:
        checkLength(entry, count * 8);
        return Array.from(new BigInt64Array(buffer, offset, count));
      case columnKind.date:
        checkLength(entry, count * 8);
        return Array.from(new Float64Array(buffer, offset, count), (ms) => new Date(ms));
      case columnKind.null:
      case columnKind.undefined:
        checkLength(entry, 0);
        return new Array<unknown>(count).fill(kind === columnKind.null ? null : undefined);
      case columnKind.clone:
        return deserializeValues(this.#bytes(entry), count);
      case columnKind.mixed:
        return this.#readMixed(entry);
      default:
        return this.#readBytes(entry);
    }
  }

  #bytes({ offset, length }: ColumnEntry): Buffer {
    return this.#frame.bytes.subarray(offset, offset + length);
  }

  /** The lengths that a column of texts or bytes begins with, checked: together they fill the column. */
  #lengths(entry: ColumnEntry, unitBytes: number): Uint32Array {
    if (entry.length < entry.count * 4) throw invalidFrame("a column of lengths is cut");
    const lengths = new Uint32Array(this.#frame.bytes.buffer, entry.offset, entry.count);
    let total = 0;
    for (let row = 0; row < lengths.length; row += 1) total += lengths[row] ?? 0;
    checkLength(entry, entry.count * 4 + total * unitBytes);
    return lengths;
  }

  #readMixed(entry: ColumnEntry): unknown[] {
    checkLength(entry, entry.count);
    const tags = this.#bytes(entry);
    const counts = new Uint32Array(256);
    for (let row = 0; row < tags.length; row += 1) counts[tags[row] ?? 0] = (counts[tags[row] ?? 0] ?? 0) + 1;
    const parts: Column[] = [];
    for (let tag = 0; tag < counts.length; tag += 1) {
      const count = counts[tag] ?? 0;
      if (count > 0) parts[tag] = this.#part(tag, count);
    }
    const positions = new Uint32Array(256);
    return Array.from(tags, (tag) => {
      const at = positions[tag] ?? 0;
      positions[tag] = at + 1;
      return parts[tag]?.[at];
    });
  }

  #part(tag: number, count: number): Column {
    const kind = this.#frame.entries[this.#next]?.kind ?? -1;
    // A mixed column is never part of a mixed one: refusing that here bounds the recursion.
    if (tagOfKind(kind) !== tag) throw invalidFrame(`a mixed column has a part of kind ${kind} for tag ${tag}`);
    return this.column(count);
  }

  #readBytes(entry: ColumnEntry): unknown[] {
    const kind = entry.kind - columnKind.bytes;
    if (!Number.isInteger(kind) || kind < 0) throw invalidFrame(`there is no kind ${entry.kind} of column`);
    const lengths = this.#lengths(entry, 1);
    let at = entry.offset + entry.count * 4;
    return Array.from(lengths, (length) => {
      const value = rebuildBytes(kind, this.#frame.bytes, at, at + length);
      at += length;
      return value;
    });
  }
}

function tagOfKind(kind: number): number | undefined {
  switch (kind) {
    case columnKind.float64:
    case columnKind.int32:
      return valueTag.number;
    case columnKind.latin1:
    case columnKind.utf16:
      return valueTag.string;
    case columnKind.boolean:
      return valueTag.boolean;
    case columnKind.int64:
      return valueTag.bigint;
    case columnKind.date:
      return valueTag.date;
    case columnKind.null:
      return valueTag.null;
    case columnKind.undefined:
      return valueTag.undefined;
    case columnKind.clone:
      return valueTag.other;
    default:
      return kind >= columnKind.bytes ? kind - columnKind.bytes + valueTag.bytes : undefined;
  }
}

function checkLength({ kind, length }: ColumnEntry, expected: number): void {
  if (length !== expected) throw invalidFrame(`a column of kind ${kind} has ${length} bytes instead of ${expected}`);
}

/**
 * Strings of up to twelve characters are copied out of a bigger one; a part longer than that would be a view which keeps all of
 * the parcel's text in memory as long as one of them lives. Two short copies joined, or a copy made natively, don't.
 */
const copiedUnits = 12;

function readLatin1(bytes: NativeBuffer, { offset, count, length }: ColumnEntry, lengths: Uint32Array): string[] {
  const from = offset + count * 4;
  const to = offset + length;
  const strings = new Array<string>(count);
  const mean = (to - from) / count;
  if (mean > 2 * copiedUnits) {
    let at = from;
    for (let row = 0; row < count; row += 1) strings[row] = bytes.latin1Slice(at, (at += lengths[row] ?? 0));
    return strings;
  }
  const text = bytes.latin1Slice(from, to);
  let at = 0;
  for (let row = 0; row < count; row += 1) {
    const units = lengths[row] ?? 0;
    const end = at + units;
    if (units <= copiedUnits) {
      strings[row] = text.substring(at, end);
    } else if (units <= 2 * copiedUnits) {
      strings[row] = text.substring(at, at + copiedUnits) + text.substring(at + copiedUnits, end);
    } else {
      strings[row] = bytes.latin1Slice(from + at, from + end);
    }
    at = end;
  }
  return strings;
}

function readUtf16(bytes: NativeBuffer, { offset, count }: ColumnEntry, lengths: Uint32Array): string[] {
  const strings = new Array<string>(count);
  let at = offset + count * 4;
  for (let row = 0; row < count; row += 1) strings[row] = bytes.ucs2Slice(at, (at += (lengths[row] ?? 0) * 2));
  return strings;
}
