import { createRequire } from "node:module";
import { crc32 } from "node:zlib";
import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { frameBytesMaxDefault } from "../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { unpackBlock } from "./unpack-block.ts";

/** How a machine packs large parcels for other machines. */
export type Compression = "none" | "lz4";

/** A payload for another machine: 32 bits, little-endian, of how many bytes it unpacks to, and a block of LZ4. */
export interface Packed {
  readonly bytes: Uint8Array;
  /** CRC-32 of them. */
  readonly checksum: number;
}

export type Parcel = Extract<LinkMessage, { kind: "parcel" }>;

/** What is used of lz4-napi. */
export interface Lz4 {
  readonly compressSync: (bytes: Buffer) => Buffer;
  readonly uncompressSync: (bytes: Uint8Array) => Buffer;
}

// Smaller ones aren't what fills a network.
const packedFromBytes = 16 * 1024;
// Packed, it may have so much of its bytes: for less, the time of both ends isn't worth it.
const packedShareMost = 0.9;
// So many parcels of an edge go as they are once one wasn't worth it.
const passedOver = 15;
const edgesMost = 1024;
const sizeBytes = 4;

let library: Lz4 | undefined;

/** @throws QStreamError PACKAGE_MISSING where this platform has none */
export function openCompression(): Lz4 {
  try {
    return (library ??= createRequire(import.meta.url)("lz4-napi") as Lz4);
  } catch (cause) {
    throw new QStreamError("PACKAGE_MISSING", `lz4-napi can't be loaded on ${process.platform} ${process.arch}`, {
      cause,
      advice: "Install it again, or start the worker without --compress: it still reads what others have packed.",
    });
  }
}

/** Packs large parcels for other machines, where that saves something. */
export class Packer {
  readonly #lz4 = openCompression();
  /** Edges whose parcels don't get smaller, and how many of each go as they are. */
  readonly #passing = new Map<string, number>();

  /** Undefined for a parcel that is better sent as it is. */
  pack({ execution, edge, payload }: Parcel): Packed | undefined {
    const size = payload.bytes.byteLength;
    if (size < packedFromBytes || size > frameBytesMaxDefault) return undefined;
    const name = `${edge} ${execution}`;
    const passing = this.#passing.get(name) ?? 0;
    if (passing > 0) {
      this.#passing.set(name, passing - 1);
      return undefined;
    }
    const bytes = this.#lz4.compressSync(Buffer.from(payload.bytes));
    if (bytes.byteLength <= packedShareMost * size) return { bytes, checksum: crc32(bytes) };
    // Of executions that are over, mostly.
    if (this.#passing.size >= edgesMost) this.#passing.clear();
    this.#passing.set(name, passedOver);
    return undefined;
  }
}

/**
 * Checks what a packed payload says of itself, before anything is allocated for it.
 *
 * @throws QStreamError FRAME_INVALID
 */
export function checkPacked(bytes: ArrayBuffer, unpackedBytes: number): void {
  const said = bytes.byteLength < sizeBytes ? -1 : new DataView(bytes).getUint32(0, true);
  if (said !== unpackedBytes) throw invalid(`it says that it unpacks to ${said} bytes, not ${unpackedBytes}`);
}

/**
 * A message as it was before its payload was packed; the message itself if it wasn't.
 *
 * @throws QStreamError FRAME_INVALID
 */
export function unpack(message: LinkMessage): LinkMessage {
  if (message.kind !== "parcel" || message.payload.unpackedBytes === undefined) return message;
  const { format, rows, bytes, unpackedBytes } = message.payload;
  return { ...message, payload: { format, rows, bytes: unpackBytes(bytes, unpackedBytes, forReading()) } };
}

/**
 * The bytes of a packed payload as they were.
 *
 * @param lz4 - null: by what every platform has, which takes up to three times as long
 * @throws QStreamError FRAME_INVALID
 */
export function unpackBytes(packed: ArrayBuffer, unpackedBytes: number, lz4: Lz4 | null): ArrayBuffer {
  checkPacked(packed, unpackedBytes);
  const bytes = lz4 === null ? unpackBlock(new Uint8Array(packed, sizeBytes), unpackedBytes) : unpackedBy(lz4, packed);
  if (bytes?.byteLength !== unpackedBytes) throw invalid(`it doesn't unpack to ${unpackedBytes} bytes`);
  return bytes;
}

function unpackedBy(lz4: Lz4, packed: ArrayBuffer): ArrayBuffer | undefined {
  try {
    // Memory of the engine's own: what a library gives can't be handed over to another thread.
    return new Uint8Array(lz4.uncompressSync(new Uint8Array(packed))).buffer;
  } catch {
    return undefined;
  }
}

let reading: Lz4 | null | undefined;

function forReading(): Lz4 | null {
  if (reading !== undefined) return reading;
  try {
    return (reading = openCompression());
  } catch {
    return (reading = null);
  }
}

function invalid(what: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `a packed parcel is invalid: ${what}`, {
    advice: "Another program, or another version of QStream, sent it.",
  });
}
