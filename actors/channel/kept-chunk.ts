import { loadedBatches } from "../../lib/core/batch/index.ts";
import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { Chunk } from "./task-output.ts";

const formats: readonly Payload["format"][] = ["columns", "clone", "batch"];

/** Main output, and side outputs by name. */
type Kept = readonly [objects: readonly unknown[], sides: readonly (readonly [string, readonly unknown[]])[]];

/**
 * What a source gave that can't be asked again, as bytes for the log: it is durable before anybody gets it. Payload format,
 * payload.
 */
export function encodeChunk({ objects, columnar, sides }: Chunk): Uint8Array {
  if (columnar) {
    const batches = loadedBatches();
    invariant(batches !== undefined, "batches are supported before one is read");
    return bytesOf(batches.encode(objects[0]));
  }
  const kept: Kept = [objects, [...(sides ?? [])]];
  return bytesOf(encodeObjects([kept]));
}

/** What `encodeChunk` kept. Support for batches is loaded if the chunk is one. */
export function decodeChunk(bytes: Uint8Array, more: boolean): Chunk {
  const format = formats[bytes[0] ?? -1];
  invariant(format !== undefined, `what a source gave was kept in format ${bytes[0]}`);
  const payload = { format, rows: rowsOf(bytes), bytes: bytes.slice(headBytes).buffer };
  if (format === "batch") {
    return { objects: [loadedBatches()?.decode(payload)], columnar: true, sides: undefined, last: !more };
  }
  const [objects, sides] = decodeObjects(payload)[0] as Kept;
  return { objects, columnar: false, sides: sides.length === 0 ? undefined : new Map(sides), last: !more };
}

/** True if batches have to be supported before a chunk can be decoded. */
export function isKeptBatch(bytes: Uint8Array): boolean {
  return formats[bytes[0] ?? -1] === "batch";
}

const headBytes = 5;

function bytesOf(payload: Payload): Uint8Array {
  const bytes = new Uint8Array(headBytes + payload.bytes.byteLength);
  bytes[0] = formats.indexOf(payload.format);
  new DataView(bytes.buffer).setUint32(1, payload.rows, true);
  bytes.set(new Uint8Array(payload.bytes), headBytes);
  return bytes;
}

function rowsOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
}
