import type { Selection } from "./selection.ts";

/** Bits of a bitmap that are set among the selected rows; `offset` is the bit of row 0. */
export function countBits(bits: Uint8Array, offset: number, { from, count, rows }: Selection): number {
  let set = 0;
  for (let at = 0; at < count; at++) {
    const bit = offset + (rows === undefined ? from + at : (rows[at] as number));
    set += ((bits[bit >> 3] as number) >> (bit & 7)) & 1;
  }
  return set;
}

/** Copies the bits of the selected rows to bit `to` of the target and on; the target's bits are zero before. */
export function copyBits(bits: Uint8Array, offset: number, selection: Selection, target: Uint8Array, to: number): void {
  const { from, count, rows } = selection;
  if (rows === undefined && ((offset + from) & 7) === 0 && (to & 7) === 0) {
    copyWholeBytes(bits, (offset + from) >> 3, count, target, to >> 3);
    return;
  }
  for (let at = 0; at < count; at++) {
    const bit = offset + (rows === undefined ? from + at : (rows[at] as number));
    const value = ((bits[bit >> 3] as number) >> (bit & 7)) & 1;
    const out = to + at;
    target[out >> 3] = (target[out >> 3] as number) | (value << (out & 7));
  }
}

function copyWholeBytes(bits: Uint8Array, start: number, count: number, target: Uint8Array, to: number): void {
  const whole = count >> 3;
  target.set(bits.subarray(start, start + whole), to);
  const rest = count & 7;
  if (rest > 0) target[to + whole] = (bits[start + whole] as number) & ((1 << rest) - 1);
}

/** Sets `count` bits from bit `to` on; the target's bits are zero before. */
export function setBits(target: Uint8Array, to: number, count: number): void {
  let bit = to;
  const end = to + count;
  for (; bit < end && (bit & 7) !== 0; bit++) target[bit >> 3] = (target[bit >> 3] as number) | (1 << (bit & 7));
  const wholeEnd = end & ~7;
  if (bit < wholeEnd) {
    target.fill(255, bit >> 3, wholeEnd >> 3);
    bit = wholeEnd;
  }
  for (; bit < end; bit++) target[bit >> 3] = (target[bit >> 3] as number) | (1 << (bit & 7));
}

/**
 * Copies the selected rows of a column of fixed width. `base` is the target's byte for the first of them.
 * Eight-byte values go through 64-bit integers: floating-point copies might change the bits of a NaN.
 */
export function copyFixed(
  values: ArrayBufferView,
  width: number,
  selection: Selection,
  target: ArrayBuffer,
  base: number,
): void {
  const { from, count, rows } = selection;
  if (count === 0 || width === 0) return;
  if (rows === undefined) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset + from * width, count * width);
    new Uint8Array(target, base, count * width).set(bytes);
    return;
  }
  const { buffer, byteOffset, byteLength } = values;
  if (byteOffset % Math.min(width & -width, 8) !== 0) {
    takeWords(bytesOf(values), rows, count, new Uint8Array(target, base, count * width), width);
  } else if (width === 8) {
    take64(new BigInt64Array(buffer, byteOffset, byteLength >> 3), rows, count, new BigInt64Array(target, base, count));
  } else if (width === 4) {
    take32(new Int32Array(buffer, byteOffset, byteLength >> 2), rows, count, new Int32Array(target, base, count));
  } else if (width === 2) {
    take16(new Uint16Array(buffer, byteOffset, byteLength >> 1), rows, count, new Uint16Array(target, base, count));
  } else if (width === 1) {
    take8(bytesOf(values), rows, count, new Uint8Array(target, base, count));
  } else if (width % 4 === 0) {
    const words = width >> 2;
    const to = new Int32Array(target, base, count * words);
    takeWords(new Int32Array(buffer, byteOffset, byteLength >> 2), rows, count, to, words);
  } else {
    takeWords(bytesOf(values), rows, count, new Uint8Array(target, base, count * width), width);
  }
}

// One function a width: each stays monomorphic, which is what makes it fast.
function take64(values: BigInt64Array, rows: Int32Array, count: number, target: BigInt64Array): void {
  for (let at = 0; at < count; at++) target[at] = values[rows[at] as number] as bigint;
}

function take32(values: Int32Array, rows: Int32Array, count: number, target: Int32Array): void {
  for (let at = 0; at < count; at++) target[at] = values[rows[at] as number] as number;
}

function take16(values: Uint16Array, rows: Int32Array, count: number, target: Uint16Array): void {
  for (let at = 0; at < count; at++) target[at] = values[rows[at] as number] as number;
}

function take8(values: Uint8Array, rows: Int32Array, count: number, target: Uint8Array): void {
  for (let at = 0; at < count; at++) target[at] = values[rows[at] as number] as number;
}

type Words = Int32Array | Uint8Array;

function takeWords(values: Words, rows: Int32Array, count: number, target: Words, words: number): void {
  let next = 0;
  for (let at = 0; at < count; at++) {
    const start = (rows[at] as number) * words;
    for (let word = 0; word < words; word++) target[next++] = values[start + word] as number;
  }
}

/** The bytes of any view, as a plain Uint8Array. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Bytes of variable-length values of the selected rows. Offsets are read at `row << shift`. */
export function measureBytes(offsets: Int32Array, shift: number, { from, count, rows }: Selection): number {
  if (count === 0) return 0;
  if (rows === undefined) return (offsets[(from + count) << shift] as number) - (offsets[from << shift] as number);
  let total = 0;
  for (let at = 0; at < count; at++) {
    const row = rows[at] as number;
    total += (offsets[(row + 1) << shift] as number) - (offsets[row << shift] as number);
  }
  return total;
}

/** Writes the end offsets of the selected rows' values, from `start` on; returns the last one. */
export function copyOffsets(
  offsets: Int32Array,
  shift: number,
  { from, count, rows }: Selection,
  target: Int32Array,
  to: number,
  start: number,
  targetShift: number,
): number {
  let end = start;
  for (let at = 0; at < count; at++) {
    const row = rows === undefined ? from + at : (rows[at] as number);
    end += (offsets[(row + 1) << shift] as number) - (offsets[row << shift] as number);
    target[(to + at + 1) << targetShift] = end;
  }
  return end;
}

/** A variable-length column as the byte kernel reads it. */
export interface BytesSource {
  readonly offsets: Int32Array;
  readonly shift: number;
  readonly values: Uint8Array;
}

/** From this length on a copy by the runtime beats a loop. */
const longValue = 48;

/**
 * Copies the bytes of the selected rows' values one behind the other. Rows that follow each other are copied as one, short
 * values four bytes at a time: what is written too far is overwritten by the next value, so the last ones go byte by byte.
 * Returns the position behind the last one.
 */
export function copyBytes(source: BytesSource, selection: Selection, target: Uint8Array, to: number): number {
  const { offsets, shift, values } = source;
  const { from, count, rows } = selection;
  if (rows === undefined) {
    const start = offsets[from << shift] as number;
    const end = offsets[(from + count) << shift] as number;
    target.set(values.subarray(start, end), to);
    return to + end - start;
  }
  const reader = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const writer = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const readLimit = values.byteLength - 4;
  const writeLimit = target.byteLength - 4;
  let out = to;
  for (let at = 0; at < count;) {
    const first = rows[at] as number;
    let last = first + 1;
    for (at++; at < count && rows[at] === last; at++) last++;
    const start = offsets[first << shift] as number;
    const length = (offsets[last << shift] as number) - start;
    if (length >= longValue) {
      target.set(values.subarray(start, start + length), out);
    } else if (start + length <= readLimit && out + length <= writeLimit) {
      for (let byte = 0; byte < length; byte += 4)
        writer.setInt32(out + byte, reader.getInt32(start + byte, true), true);
    } else {
      for (let byte = 0; byte < length; byte++) target[out + byte] = values[start + byte] as number;
    }
    out += length;
  }
  return out;
}
