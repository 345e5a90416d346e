import type { Data } from "apache-arrow";
import type { Frame } from "./frame.ts";
import { copyBits, copyBytes, copyFixed, copyOffsets, setBits } from "./kernels.ts";
import {
  type ColumnLayout,
  type DictionaryLayout,
  hasNulls,
  inlineMax,
  isValid,
  offsetsOf,
  viewsOf,
} from "./layout.ts";

/** Writes measured columns into their frame's buffers: each value is copied once, from its chunk to its place. */
export function writeColumns(frame: Frame, columns: readonly ColumnLayout[]): void {
  const target = new FrameTarget(frame);
  for (const column of columns) writeColumn(column, target);
}

/** Hands out the buffers of a frame in order. */
class FrameTarget {
  readonly bytes: ArrayBuffer;
  readonly #buffers: Uint32Array;
  #next = 0;

  constructor(frame: Frame) {
    this.bytes = frame.bytes;
    this.#buffers = frame.buffers;
  }

  next(): Uint8Array {
    const index = this.#next++ * 2;
    return new Uint8Array(this.bytes, (this.#buffers[index] as number) * 8, this.#buffers[index + 1]);
  }
}

function writeColumn(layout: ColumnLayout, target: FrameTarget): void {
  const { physical } = layout;
  if (physical.kind === "null") return;
  writeValidity(layout, target.next());
  switch (physical.kind) {
    case "bits":
      writeBits(layout, target.next());
      break;
    case "fixed":
      writeFixed(layout, physical.width, target.next());
      break;
    case "bytes":
      writeOffsets(layout, physical.wide, target.next());
      writeBytes(layout, target.next());
      break;
    case "view":
      writeViews(layout, target.next(), target.next());
      break;
    case "list":
      writeOffsets(layout, physical.wide, target.next());
      break;
    case "dictionary":
      writeIndices(layout, layout.dictionary as DictionaryLayout, physical.width, target.next());
      break;
    default:
      break;
  }
  for (const child of layout.children) writeColumn(child, target);
  if (layout.dictionary?.entries !== undefined) writeColumn(layout.dictionary.entries, target);
}

function writeValidity({ parts, nulls }: ColumnLayout, target: Uint8Array): void {
  if (nulls === 0) return;
  let to = 0;
  for (const { data, selection } of parts) {
    if (hasNulls(data)) copyBits(data.nullBitmap, data.offset, selection, target, to);
    else setBits(target, to, selection.count);
    to += selection.count;
  }
}

function writeBits({ parts }: ColumnLayout, target: Uint8Array): void {
  let to = 0;
  for (const { data, selection } of parts) {
    if (selection.count > 0) copyBits(data.values, data.offset, selection, target, to);
    to += selection.count;
  }
}

function writeFixed({ parts }: ColumnLayout, width: number, target: Uint8Array): void {
  let base = target.byteOffset;
  for (const { data, selection } of parts) {
    if (selection.count > 0)
      copyFixed(data.values as ArrayBufferView, width, selection, target.buffer as ArrayBuffer, base);
    base += selection.count * width;
  }
}

function writeOffsets({ parts }: ColumnLayout, wide: boolean, target: Uint8Array): void {
  const words = new Int32Array(target.buffer, target.byteOffset, target.byteLength >> 2);
  let to = 0;
  let end = 0;
  for (const { data, selection } of parts) {
    const { offsets, shift } = offsetsOf(data);
    end = copyOffsets(offsets, shift, selection, words, to, end, wide ? 1 : 0);
    to += selection.count;
  }
}

function writeBytes({ parts }: ColumnLayout, target: Uint8Array): void {
  let to = 0;
  for (const { data, selection } of parts) {
    if (selection.count === 0) continue;
    to = copyBytes({ ...offsetsOf(data), values: data.values }, selection, target, to);
  }
}

/** Long values of all chunks go to one buffer, so views get new places; a null's view is all zeros. */
function writeViews({ parts }: ColumnLayout, viewBytes: Uint8Array, longBytes: Uint8Array): void {
  const target = new Int32Array(viewBytes.buffer, viewBytes.byteOffset, viewBytes.byteLength >> 2);
  let to = 0;
  let end = 0;
  for (const { data, selection } of parts) {
    const views = viewsOf(data);
    const nulls = hasNulls(data) ? data.nullBitmap : undefined;
    for (let at = 0; at < selection.count; at++, to += 4) {
      const row = selection.rows === undefined ? selection.from + at : (selection.rows[at] as number);
      if (!isValid(nulls, data.offset + row)) continue;
      const length = views[row * 4] as number;
      target[to] = length;
      target[to + 1] = views[row * 4 + 1] as number;
      if (length <= inlineMax) {
        target[to + 2] = views[row * 4 + 2] as number;
        target[to + 3] = views[row * 4 + 3] as number;
        continue;
      }
      target[to + 3] = end;
      longBytes.set(longValue(data, views, row), end);
      end += length;
    }
  }
}

/** The bytes of a view column's value that doesn't lie in its view. */
export function longValue(data: Data, views: Int32Array, row: number): Uint8Array {
  const start = views[row * 4 + 3] as number;
  const buffer = data.variadicBuffers[views[row * 4 + 2] as number] as Uint8Array;
  return buffer.subarray(start, start + (views[row * 4] as number));
}

function writeIndices(layout: ColumnLayout, dictionary: DictionaryLayout, width: number, target: Uint8Array): void {
  writeFixed(layout, width, target);
  let base = target.byteOffset;
  for (const [index, { selection }] of layout.parts.entries()) {
    const added = dictionary.bases[index] as number;
    if (added > 0) addToIndices(target.buffer as ArrayBuffer, base, selection.count, width, added);
    base += selection.count * width;
  }
}

function addToIndices(buffer: ArrayBuffer, base: number, count: number, width: number, added: number): void {
  if (width === 8) {
    const wide = new BigInt64Array(buffer, base, count);
    for (let at = 0; at < count; at++) wide[at] = (wide[at] as bigint) + BigInt(added);
    return;
  }
  const indices =
    width === 4
      ? new Uint32Array(buffer, base, count)
      : width === 2
        ? new Uint16Array(buffer, base, count)
        : new Uint8Array(buffer, base, count);
  for (let at = 0; at < count; at++) indices[at] = (indices[at] as number) + added;
}
