import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { InputPosition } from "./inputs.ts";
import type { ReadingPlace } from "./reader-work.ts";

/** Everything of a channel that the tasks after a checkpoint depend on. */
export interface ChannelSnapshot {
  /** The last task that it covers. */
  readonly seq: number;
  readonly inputs: readonly InputPosition[];
  /** Seq of the last parcel made for each link, in the order of the plan's edges and channels; -1 for none. */
  readonly outputs: readonly number[];
  /** A reader's place. */
  readonly reading: ReadingPlace | undefined;
  /** The operator's or sink's own state. */
  readonly state: unknown;
  /** Counters of user code, so that they count nothing twice. */
  readonly counters: Readonly<Record<string, number>>;
}

const version = 1;
const formats: readonly Payload["format"][] = ["columns", "clone"];

/** A snapshot as bytes: version, payload format, payload. */
export function encodeSnapshot(snapshot: ChannelSnapshot): Uint8Array {
  const payload = encodeObjects([snapshot]);
  const bytes = new Uint8Array(2 + payload.bytes.byteLength);
  bytes[0] = version;
  bytes[1] = formats.indexOf(payload.format);
  bytes.set(new Uint8Array(payload.bytes), 2);
  return bytes;
}

/**
 * Reads a snapshot. The store has checked that the bytes are those that were written.
 *
 * @throws QStreamError NOT_RECOVERABLE where another version wrote them
 */
export function decodeSnapshot(bytes: Uint8Array): ChannelSnapshot {
  const format = formats[bytes[1] ?? -1];
  if (bytes[0] !== version || format === undefined) {
    throw new QStreamError("NOT_RECOVERABLE", `a checkpoint has version ${bytes[0]}, this QStream reads ${version}`, {
      advice: "Go on with the version of QStream that the execution was started with",
    });
  }
  const content = bytes.slice(2).buffer;
  return decodeObjects({ format, rows: 1, bytes: content })[0] as ChannelSnapshot;
}
