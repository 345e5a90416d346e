import { isUtf8 } from "node:buffer";

/** Throws the error of a damaged input; the text says what is wrong. */
export type Fail = (what: string) => never;

/** Tables that one message may have, counted each time one is reached: shared ones can't multiply the work. */
const tablesMax = 1 << 20;

/**
 * Reads FlatBuffers and checks every position first: FlatBuffers in JavaScript has no verifier, and a wrong position gives
 * wrong values there. Field numbers are those of Arrow's format definitions.
 */
export class FlatBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly fail: Fail;
  #tables = 0;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.fail = fail;
  }

  root(): FlatTable {
    this.check(0, 4);
    return this.table(this.view.getUint32(0, true));
  }

  table(at: number): FlatTable {
    if (++this.#tables > tablesMax) this.fail("its metadata has too many parts");
    this.check(at, 4);
    const vtable = at - this.view.getInt32(at, true);
    this.check(vtable, 4);
    const vtableLength = this.view.getUint16(vtable, true);
    const length = this.view.getUint16(vtable + 2, true);
    if (vtableLength < 4 || vtableLength % 2 !== 0 || length < 4) this.fail("its metadata is malformed");
    this.check(vtable, vtableLength);
    this.check(at, length);
    return new FlatTable(this, at, vtable, vtableLength, length);
  }

  check(at: number, length: number): void {
    if (at < 0 || at + length > this.bytes.byteLength) this.fail("its metadata points outside of itself");
  }

  /** A 64-bit integer that counts or places something. */
  size(at: number): number {
    const size = this.view.getBigInt64(at, true);
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`its metadata has the size ${size}`);
    return Number(size);
  }
}

/** Where the elements of a vector lie. */
export interface FlatVector {
  readonly at: number;
  readonly length: number;
}

/** A table of which the extent is checked; fields are checked when they are read. */
export class FlatTable {
  readonly #flat: FlatBytes;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableLength: number;
  readonly #length: number;

  constructor(flat: FlatBytes, at: number, vtable: number, vtableLength: number, length: number) {
    this.#flat = flat;
    this.#at = at;
    this.#vtable = vtable;
    this.#vtableLength = vtableLength;
    this.#length = length;
  }

  /** Position of a field's content, or undefined where the table lacks it. */
  #field(number: number, size: number): number | undefined {
    const slot = 4 + number * 2;
    if (slot + 2 > this.#vtableLength) return undefined;
    const offset = this.#flat.view.getUint16(this.#vtable + slot, true);
    if (offset === 0) return undefined;
    if (offset + size > this.#length) this.#flat.fail("its metadata is malformed");
    return this.#at + offset;
  }

  byte(number: number, otherwise: number): number {
    const at = this.#field(number, 1);
    return at === undefined ? otherwise : this.#flat.view.getUint8(at);
  }

  int16(number: number, otherwise: number): number {
    const at = this.#field(number, 2);
    return at === undefined ? otherwise : this.#flat.view.getInt16(at, true);
  }

  int32(number: number, otherwise: number): number {
    const at = this.#field(number, 4);
    return at === undefined ? otherwise : this.#flat.view.getInt32(at, true);
  }

  size(number: number): number {
    const at = this.#field(number, 8);
    return at === undefined ? 0 : this.#flat.size(at);
  }

  #target(number: number): number | undefined {
    const at = this.#field(number, 4);
    return at === undefined ? undefined : at + this.#flat.view.getUint32(at, true);
  }

  table(number: number): FlatTable | undefined {
    const target = this.#target(number);
    return target === undefined ? undefined : this.#flat.table(target);
  }

  vector(number: number, elementSize: number): FlatVector {
    const target = this.#target(number);
    if (target === undefined) return { at: 0, length: 0 };
    this.#flat.check(target, 4);
    const length = this.#flat.view.getUint32(target, true);
    this.#flat.check(target + 4, length * elementSize);
    return { at: target + 4, length };
  }

  tables(number: number): FlatTable[] {
    const { at, length } = this.vector(number, 4);
    return Array.from({ length }, (_, index) => {
      const slot = at + index * 4;
      return this.#flat.table(slot + this.#flat.view.getUint32(slot, true));
    });
  }

  text(number: number): string | undefined {
    const { at, length } = this.vector(number, 1);
    if (at === 0) return undefined;
    const bytes = this.#flat.bytes.subarray(at, at + length);
    if (!isUtf8(bytes)) this.#flat.fail("a text in its metadata isn't UTF-8");
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  }
}
