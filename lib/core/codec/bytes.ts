import { types } from "node:util";
import { QStreamError } from "../errors.ts";

/** Which kind of bytes: an index into the constructors below. Stored in parcels: only ever add at the end. */
export type BytesKind = number;

type BytesValue = ArrayBuffer | ArrayBufferView;

interface ViewClass {
  readonly name: string;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer): ArrayBufferView;
}

const viewClasses: readonly ViewClass[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

const arrayBufferKind = viewClasses.length;
const bufferKind = arrayBufferKind + 1;

const kindByPrototype = new Map<object, BytesKind>([
  ...viewClasses.map((viewClass, kind) => [viewClass.prototype, kind] as const),
  [ArrayBuffer.prototype, arrayBufferKind],
  [Buffer.prototype, bufferKind],
]);
const kindByName = new Map<string, BytesKind>([
  ...viewClasses.map((viewClass, kind) => [viewClass.name, kind] as const),
  ["ArrayBuffer", arrayBufferKind],
]);

/** The kind of a typed array, DataView, Buffer or ArrayBuffer; undefined for all else, and for subclasses of these. */
export function bytesKindOf(value: object): BytesKind | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null) return undefined;
  const known = kindByPrototype.get(prototype);
  if (known !== undefined) return ArrayBuffer.isView(value) || types.isArrayBuffer(value) ? known : undefined;
  if (!ArrayBuffer.isView(value) && !types.isArrayBuffer(value)) return undefined;
  // Of another realm: its prototypes are others, their names are the same.
  return kindByName.get(prototype.constructor.name);
}

/** The bytes of a value of a bytes kind, without a copy. */
export function bytesOf(value: BytesValue): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

/** Makes a value of a bytes kind from a copy of `source` between two places. */
export function rebuildBytes(kind: BytesKind, source: Uint8Array, from: number, to: number): BytesValue {
  const copy = new ArrayBuffer(to - from);
  new Uint8Array(copy).set(source.subarray(from, to));
  if (kind === arrayBufferKind) return copy;
  if (kind === bufferKind) return Buffer.from(copy);
  const viewClass = viewClasses[kind];
  if (viewClass === undefined || (to - from) % (viewClass.BYTES_PER_ELEMENT ?? 1) !== 0) {
    throw new QStreamError("FRAME_INVALID", `a parcel holds ${to - from} bytes of an unknown or wrong kind (${kind})`);
  }
  return new viewClass(copy);
}
