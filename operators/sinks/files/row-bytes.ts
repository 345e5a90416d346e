import type { BatchSupport } from "../../../lib/core/batch/index.ts";
import { decodeObjects, encodeObjects } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import { support } from "./batch-support.ts";

const formats: readonly Payload["format"][] = ["columns", "clone", "batch"];
const headBytes = 16;
const objectsMax = 1 << 16;

/** Rows as bytes: one payload after the other, each behind its format, rows and length. */
export function encodeRows(objects: readonly unknown[], batches: readonly unknown[]): Uint8Array {
  const payloads: Payload[] = [];
  for (let from = 0; from < objects.length; from += objectsMax) {
    payloads.push(encodeObjects(objects.slice(from, from + objectsMax).map((object) => plain(object))));
  }
  for (const batch of batches) payloads.push(support().encode(batch));
  const bytes = new Uint8Array(payloads.reduce((sum, payload) => sum + headBytes + payload.bytes.byteLength, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const payload of payloads) {
    view.setUint32(at, formats.indexOf(payload.format), true);
    view.setUint32(at + 4, payload.rows, true);
    view.setFloat64(at + 8, payload.bytes.byteLength, true);
    bytes.set(new Uint8Array(payload.bytes), at + headBytes);
    at += headBytes + payload.bytes.byteLength;
  }
  return bytes;
}

/** What `encodeRows` encoded. The caller has checked that the bytes are those. @throws QStreamError NOT_RECOVERABLE */
export function decodeRows(
  bytes: Uint8Array,
  batchSupport: BatchSupport,
): { readonly objects: unknown[]; readonly batches: unknown[] } {
  const objects: unknown[] = [];
  const batches: unknown[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength;) {
    const format = formats[view.getUint32(at, true)];
    const length = view.getFloat64(at + 8, true);
    const end = at + headBytes + length;
    if (format === undefined || end > bytes.byteLength) {
      throw new QStreamError("NOT_RECOVERABLE", "rows that a sink had kept can't be decoded", {
        advice: "Go on with the version of QStream that the execution was started with.",
      });
    }
    // A buffer's slice would be a view of all that was read.
    const content = new Uint8Array(bytes.subarray(at + headBytes, end));
    const payload = { format, rows: view.getUint32(at + 4, true), bytes: content.buffer };
    if (format === "batch") batches.push(batchSupport.decode(payload));
    else for (const object of decodeObjects(payload)) objects.push(object);
    at = end;
  }
  return { objects, batches };
}

/** Objects of users' classes as plain ones, with the properties that become columns. */
function plain(object: unknown): unknown {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return object;
  const prototype: unknown = Object.getPrototypeOf(object);
  // Dates, maps and the like aren't rows: they are kept as they are, and refused with the others' error when the file ends.
  if (prototype === Object.prototype || prototype === null || isBuiltIn(object)) return object;
  const copy: Record<string, unknown> = {};
  // As where columns are made of objects: inherited properties too.
  // oxlint-disable-next-line guard-for-in -- see above
  for (const name in object) copy[name] = (object as Record<string, unknown>)[name];
  return copy;
}

function isBuiltIn(object: object): boolean {
  return (
    object instanceof Date ||
    object instanceof Map ||
    object instanceof Set ||
    object instanceof RegExp ||
    object instanceof ArrayBuffer ||
    ArrayBuffer.isView(object)
  );
}
