import { frameBytesMaxDefault } from "../../../lib/core/envelope/frame.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import { encodeBatch, isTooMuch } from "./encode-batch.ts";
import { batchRowsMax, type MessageRows } from "./message-rows.ts";

/** What becomes of rows that don't get to where they should. */
export interface RowEvents {
  /** How many actors live here. */
  readonly actors: () => number;
  readonly refused: (rows: MessageRows, row: number, error: unknown) => void;
  readonly lost: (rows: MessageRows, row: number) => void;
  /** A question waits for the next life of a host. False if it was given up, and needn't. */
  readonly kept: (ask: number, channel: number) => boolean;
}

/** How large batches are. */
export interface BatchBytes {
  /** What a batch should have about. */
  readonly wanted: number;
  /** What one of several messages has at most. */
  readonly most: number;
  /** What one message may have: what is larger can't travel. */
  readonly travels: number;
}

// What transports put in front of a batch counts for the frame, too.
const headBytes = 64 << 10;

export const batchBytesDefault: BatchBytes = {
  wanted: 1 << 20,
  most: 4 << 20,
  travels: frameBytesMaxDefault - headBytes,
};

// Messages of a batch whose size is estimated before it is encoded.
const samples = 32;
const partsLooked = 16;
const depthLooked = 3;

/**
 * How many messages from the front are about a batch.
 *
 * @param most - that there are, and that may go
 * @param rowBytes - what a message is expected to have; more where some that are looked at have more
 */
export function rowsToEncode(rows: MessageRows, most: number, rowBytes: number, { wanted }: BatchBytes): number {
  const expected = Math.max(rowBytes, sampledBytes(rows, Math.min(most, batchRowsMax)));
  return Math.max(1, Math.min(batchRowsMax, most, Math.ceil(wanted / expected)));
}

/**
 * Takes messages from the front and encodes them, but for those that can't travel. Where that comes to too many bytes, it takes fewer.
 *
 * @param most - how many at most
 */
export function takeEncoded(rows: MessageRows, most: number, events: RowEvents, limits: BatchBytes): Payload {
  let count = most;
  for (;;) {
    const payload = encoded(rows, count, events);
    const bytes = payload?.bytes.byteLength ?? Infinity;
    if (payload !== undefined && bytes <= (count > 1 ? limits.most : limits.travels)) {
      rows.drop(count);
      return payload;
    }
    if (count > 1) count = Math.max(1, Math.min(count >> 1, fitting(count, bytes, limits)));
    else {
      events.refused(rows, 0, tooLarge(bytes, limits));
      rows.clear(0);
    }
  }
}

/** How many of so many messages should have the bytes that are wanted. */
function fitting(count: number, bytes: number, { wanted }: BatchBytes): number {
  return bytes === Infinity ? count : Math.floor((count * wanted) / bytes);
}

/** Undefined where it is more than a buffer holds. */
function encoded(rows: MessageRows, count: number, events: RowEvents): Payload | undefined {
  try {
    return encodeBatch(rows, events.actors(), (row, error) => events.refused(rows, row, error), count);
  } catch (error) {
    if (isTooMuch(error)) return undefined;
    throw error;
  }
}

function tooLarge(bytes: number, { travels }: BatchBytes): QStreamError {
  const size = bytes === Infinity ? "more bytes than a buffer holds" : `${bytes} bytes`;
  return new QStreamError("CANNOT_TRAVEL", `a message of ${size} is too large for another slot: ${travels} at most`, {
    advice: "Send it in parts, or put it into a file or a store and send where it is",
  });
}

/** The mean of some messages, which lie at odd distances: what alternates is seen. */
function sampledBytes({ payloads }: MessageRows, count: number): number {
  const step = Math.floor(count / samples) | 1;
  let [sum, seen] = [0, 0];
  for (let row = 0; row < count; row += step) {
    try {
      sum += roughBytes(payloads[row], depthLooked);
    } catch {
      // A getter throws: to encode it says so.
    }
    seen++;
  }
  return sum / Math.max(1, seen);
}

/** What a value has about, as far as that is quickly seen: instances of classes go by codecs. */
function roughBytes(value: unknown, depth: number): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (depth === 0) return 8;
  if (Array.isArray(value)) {
    const looked = Math.min(value.length, partsLooked);
    let sum = 0;
    for (let index = 0; index < looked; index++) sum += roughBytes(value[index], depth - 1);
    return looked === 0 ? 8 : (sum / looked) * value.length;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return 8;
  let [sum, looked] = [0, 0];
  for (const key in value) {
    if (looked++ === partsLooked) break;
    sum += roughBytes((value as Record<string, unknown>)[key], depth - 1);
  }
  return sum;
}
