import { crc32 } from "node:zlib";
import type { LinkMessage } from "../contracts/transport.ts";
import { QStreamError } from "../errors.ts";
import { decodeHead, encodeHead, headBytesMax, type ParcelHead } from "./head.ts";

/*
 * A frame is a preamble, a head (a FlatBuffer, see envelope.fbs), and the payload. The preamble, little-endian:
 *   0  32 bits  magic
 *   4  16 bits  version
 *   6  16 bits  bytes of the head; 0 is the end mark, after which nothing may follow
 *   8  32 bits  bytes of the payload
 *  12  32 bits  CRC-32 of the payload
 *  16  32 bits  CRC-32 of the preamble up to here and of the head
 */
const magic = 0x46545351;
const frameVersion = 1;
const preambleBytes = 20;

/** Bytes that a frame may have unless told otherwise. */
export const frameBytesMaxDefault = 256 * 2 ** 20;
const frameBytesMaxMax = 2 ** 32 - 1;

export interface FrameOptions {
  /** Bytes that one frame may have. Default: 256 MiB. */
  readonly bytesMax?: number;
  /** The payload, where it isn't in the message. */
  readonly payload?: Uint8Array | undefined;
}

/** A frame as it is written: the head's bytes, then those of the payload, which are the message's own buffer. */
export interface Frame {
  readonly head: Uint8Array;
  readonly payload?: Uint8Array;
}

/**
 * Encodes a message as a frame. The payload isn't copied.
 *
 * @throws QStreamError LIMIT_EXCEEDED if the frame would be larger than `bytesMax`
 */
export function encodeFrame(message: LinkMessage, options: FrameOptions = {}): Frame {
  const bytesMax = options.bytesMax ?? frameBytesMaxDefault;
  const { bytes, checksum } = message.kind === "parcel" ? message.payload : none;
  const payload = bytes === undefined ? undefined : (options.payload ?? new Uint8Array(bytes));
  const payloadBytes = payload?.byteLength ?? 0;
  const head = encodeHead(message, payloadBytes);
  const size = preambleBytes + head.byteLength + payloadBytes;
  if (head.byteLength > headBytesMax || size > Math.min(bytesMax, frameBytesMaxMax)) {
    throw new QStreamError("LIMIT_EXCEEDED", `a parcel of ${size} bytes is larger than a frame may be (${bytesMax})`, {
      advice: "Lower the limit parcelBytes, or make smaller batches: one object or batch can't be cut by QStream.",
    });
  }
  if (payload === undefined) return { head: seal(head, 0, 0) };
  return { head: seal(head, payloadBytes, checksum ?? crc32(payload)), payload };
}

const none: { readonly bytes?: ArrayBuffer; readonly checksum?: number } = {};

/**
 * Decodes a frame whose payload came by itself. It isn't copied where it is a buffer of its own.
 *
 * @param start - preamble and head, exactly
 * @throws QStreamError FRAME_INVALID
 */
export function decodeFrame(start: Uint8Array, payload: Uint8Array = new Uint8Array(0)): LinkMessage {
  if (start.byteLength <= preambleBytes) throw invalid(`its head has ${start.byteLength} bytes`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (view.getUint32(0, true) !== magic) throw invalid(`it starts with ${view.getUint32(0, true).toString(16)}`);
  if (view.getUint16(4, true) !== frameVersion) {
    throw invalid(`its version is ${view.getUint16(4, true)}, not ${frameVersion}`);
  }
  const headBytes = view.getUint16(6, true);
  if (headBytes > headBytesMax || preambleBytes + headBytes !== start.byteLength) {
    throw invalid(`its head has ${start.byteLength - preambleBytes} bytes, not ${headBytes}`);
  }
  if (view.getUint32(16, true) !== headChecksum(start)) throw invalid("the checksum of its head is wrong");
  if (view.getUint32(8, true) !== payload.byteLength) {
    throw invalid(`its payload has ${payload.byteLength} bytes, not ${view.getUint32(8, true)}`);
  }
  const head = decodeHead(start.subarray(preambleBytes), payload.byteLength);
  if ("kind" in head) return head;
  if (head.unpackedBytes > frameBytesMaxDefault) {
    throw invalid(`it unpacks to ${head.unpackedBytes} bytes, more than ${frameBytesMaxDefault}`);
  }
  if (crc32(payload) !== view.getUint32(12, true)) throw invalid("the checksum of its payload is wrong");
  return parcelOf(head, ownBuffer(payload));
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteLength } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) return buffer;
  return new Uint8Array(bytes).buffer;
}

function parcelOf(
  { address, seq, previous, format, rows, unpackedBytes }: ParcelHead,
  bytes: ArrayBuffer,
): LinkMessage {
  // Property by property: to spread an object takes longer than all the rest.
  const { execution, edge, from, to, producer, consumer } = address;
  const payload = unpackedBytes === 0 ? { format, rows, bytes } : { format, rows, bytes, unpackedBytes };
  return { execution, edge, from, to, producer, consumer, kind: "parcel", seq, previous, payload };
}

/** The bytes that say that no frame follows. A stream that stops without them was cut. */
export function encodeEndMark(): Uint8Array {
  return seal(new Uint8Array(0), 0, 0);
}

function seal(head: Uint8Array, payloadBytes: number, payloadChecksum: number): Uint8Array {
  const bytes = new Uint8Array(preambleBytes + head.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint16(4, frameVersion, true);
  view.setUint16(6, head.byteLength, true);
  view.setUint32(8, payloadBytes, true);
  view.setUint32(12, payloadChecksum, true);
  bytes.set(head, preambleBytes);
  view.setUint32(16, headChecksum(bytes), true);
  return bytes;
}

function headChecksum(bytes: Uint8Array): number {
  return crc32(bytes.subarray(preambleBytes), crc32(bytes.subarray(0, 16)));
}

interface OpenPayload {
  readonly head: ParcelHead;
  readonly checksum: number;
  readonly bytes: Uint8Array;
  filled: number;
}

/**
 * Cuts a stream of bytes back into messages. Everything is checked before it's used and before anything is allocated; each
 * payload is copied once, into a buffer of exactly its size. After an error the reader refuses all that follows.
 *
 * @example
 * const reader = new FrameReader();
 * socket.on("data", (chunk) => { for (const message of reader.push(chunk)) deliver(message); });
 */
export class FrameReader {
  readonly #bytesMax: number;
  readonly #start = new Uint8Array(preambleBytes + headBytesMax);
  readonly #view = new DataView(this.#start.buffer);
  #filled = 0;
  #needed = preambleBytes;
  #payload: OpenPayload | undefined;
  #ended = false;
  #error: unknown;

  constructor(options: FrameOptions = {}) {
    this.#bytesMax = Math.min(options.bytesMax ?? frameBytesMaxDefault, frameBytesMaxMax);
  }

  /** True once the end mark came. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes bytes as they come, and returns the messages that they complete. The chunk isn't kept.
   *
   * @throws QStreamError FRAME_INVALID
   */
  push(chunk: Uint8Array): LinkMessage[] {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#read(chunk);
    } catch (error) {
      this.#error = error;
      this.#payload = undefined;
      throw error;
    }
  }

  /** Says that nothing will come. @throws QStreamError FRAME_INVALID if there was no end mark. */
  finish(): void {
    if (this.#error !== undefined) throw this.#error;
    if (!this.#ended) throw invalid("the stream of frames was cut: it has no end mark");
  }

  #read(chunk: Uint8Array): LinkMessage[] {
    const messages: LinkMessage[] = [];
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#ended) throw invalid("bytes follow the end mark");
      if (this.#payload !== undefined) {
        at += this.#readPayload(this.#payload, chunk, at, messages);
        continue;
      }
      const count = Math.min(this.#needed - this.#filled, chunk.byteLength - at);
      this.#start.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#needed) break;
      if (this.#needed === preambleBytes) this.#readPreamble();
      if (this.#filled === this.#needed) this.#readHead(messages);
    }
    return messages;
  }

  /** Checks the preamble, and says how much of the start is needed: the head too. */
  #readPreamble(): void {
    const view = this.#view;
    const foundMagic = view.getUint32(0, true);
    if (foundMagic !== magic) throw invalid(`it starts with ${foundMagic.toString(16)}`);
    const version = view.getUint16(4, true);
    if (version !== frameVersion) throw invalid(`its version is ${version}, not ${frameVersion}`);
    const headBytes = view.getUint16(6, true);
    if (headBytes > headBytesMax) throw invalid(`its head has ${headBytes} bytes, more than ${headBytesMax}`);
    const size = preambleBytes + headBytes + view.getUint32(8, true);
    if (size > this.#bytesMax) throw invalid(`it has ${size} bytes, more than ${this.#bytesMax}`);
    this.#needed = preambleBytes + headBytes;
  }

  #readHead(messages: LinkMessage[]): void {
    const start = this.#start.subarray(0, this.#needed);
    const payloadBytes = this.#view.getUint32(8, true);
    const checksum = this.#view.getUint32(12, true);
    if (this.#view.getUint32(16, true) !== headChecksum(start)) throw invalid("the checksum of its head is wrong");
    this.#filled = 0;
    this.#needed = preambleBytes;
    if (start.byteLength === preambleBytes) {
      if (payloadBytes !== 0) throw invalid("an end mark has a payload");
      this.#ended = true;
      return;
    }
    const head = decodeHead(start.subarray(preambleBytes), payloadBytes);
    if ("kind" in head) {
      messages.push(head);
      return;
    }
    if (head.unpackedBytes > 0) throw invalid("it is packed, and comes from this machine");
    this.#payload = { head, checksum, bytes: new Uint8Array(new ArrayBuffer(payloadBytes)), filled: 0 };
    if (payloadBytes === 0) this.#readPayload(this.#payload, start, 0, messages);
  }

  /** Returns how many bytes of the chunk it took. */
  #readPayload(payload: OpenPayload, chunk: Uint8Array, at: number, messages: LinkMessage[]): number {
    const { bytes, head } = payload;
    const count = Math.min(bytes.byteLength - payload.filled, chunk.byteLength - at);
    bytes.set(chunk.subarray(at, at + count), payload.filled);
    payload.filled += count;
    if (payload.filled < bytes.byteLength) return count;
    this.#payload = undefined;
    if (crc32(bytes) !== payload.checksum) throw invalid("the checksum of its payload is wrong");
    messages.push(parcelOf(head, bytes.buffer as ArrayBuffer));
    return count;
  }
}

function invalid(what: string): QStreamError {
  return new QStreamError("FRAME_INVALID", `a frame is invalid: ${what}`, {
    advice: "The stream was damaged on its way, or isn't one of this version of QStream.",
  });
}
