import { decodeObjects, encodeObjects } from "../../lib/core/codec/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { ObjectCounts } from "./channel-metrics.ts";
import type { InputPosition } from "./inputs.ts";
import type { LoopState } from "./loop.ts";
import type { ReadingPlace } from "./reader-work.ts";
import type { TimerChange } from "./timers.ts";

/** Everything of a channel that the tasks after a checkpoint depend on. */
export interface ChannelSnapshot {
  /** The last task that it covers. */
  readonly seq: number;
  readonly inputs: readonly InputPosition[];
  /** Seq of the last parcel made for each link, in the order of the plan's edges and channels; -1 for none. */
  readonly outputs: readonly number[];
  /** A reader's place. */
  readonly reading: ReadingPlace | undefined;
  /** The operator's or sink's own state; in a checkpoint that stands on another one, what has changed in it since. */
  readonly state: unknown;
  /** Where the channel is in its loop, if its step is one. */
  readonly loop?: LoopState | undefined;
  /** The rest of the snapshot, encoded when the state was taken: only the inputs were known later. */
  readonly before?: Uint8Array | undefined;
  /** Pending timers; in a checkpoint that stands on another one, what became of timers since. Left out where there is nothing to say. */
  readonly timers?: readonly TimerChange[] | undefined;
  /** Counters of user code, so that they count nothing twice. */
  readonly counters: Readonly<Record<string, number>>;
  /** What came and left by then, in all lives. */
  readonly counts?: ObjectCounts | undefined;
  /** In the first checkpoint after a change of channels: the channel had ended by itself, or because it wanted no more. */
  readonly ended?: "done" | "stopped" | undefined;
  /** There too: the channel has no state yet. */
  readonly stateless?: true | undefined;
}

const version = 5;
const formats: readonly Payload["format"][] = ["columns", "clone"];
const headBytes = 11;
/** Entries from which a state that is an array is encoded as a parcel is: ten times as fast where they have one shape. */
const entriesMin = 64;

/*
 * A snapshot as bytes: 8 bits version, 8 bits format of the snapshot without a state of many entries, 8 bits format of those,
 * 32 bits length of the snapshot, 32 bits number of entries; then the snapshot, and the entries if there are any.
 */
/**
 * @param room - bytes to leave free in front, for whoever stores it
 * @throws QStreamError CANNOT_TRAVEL for a state that isn't data
 */
export function encodeSnapshot(snapshot: ChannelSnapshot, room: number = 0): Uint8Array {
  try {
    return encode(snapshot, room);
  } catch (cause) {
    if (!(cause instanceof QStreamError) || cause.code !== "CANNOT_TRAVEL") throw cause;
    const [what = ""] = cause.message.split(". ");
    throw new QStreamError("CANNOT_TRAVEL", `what snapshot() returned can't be saved: ${what}`, {
      advice: "Return plain data (arrays, objects, Maps, typed arrays), and make instances of it again in restore()",
      cause,
    });
  }
}

function encode(snapshot: ChannelSnapshot, room: number): Uint8Array {
  const entries = Array.isArray(snapshot.state) && snapshot.state.length >= entriesMin ? snapshot.state : [];
  const restAt = room + headBytes;
  // A large state is written where it stays.
  if (entries.length === 0) {
    const all = encodeObjects([snapshot], restAt);
    return withHead(new Uint8Array(all.bytes), room, all.format, all.format, all.bytes.byteLength - restAt, 0);
  }
  const rest = encodeObjects([{ ...snapshot, state: undefined }]);
  const state = encodeObjects(entries, restAt + rest.bytes.byteLength);
  const bytes = new Uint8Array(state.bytes);
  bytes.set(new Uint8Array(rest.bytes), restAt);
  return withHead(bytes, room, rest.format, state.format, rest.bytes.byteLength, entries.length);
}

function withHead(
  bytes: Uint8Array,
  at: number,
  restFormat: Payload["format"],
  stateFormat: Payload["format"],
  restBytes: number,
  entries: number,
): Uint8Array {
  const head = new DataView(bytes.buffer, at);
  head.setUint8(0, version);
  head.setUint8(1, formats.indexOf(restFormat));
  head.setUint8(2, formats.indexOf(stateFormat));
  head.setUint32(3, restBytes, true);
  head.setUint32(7, entries, true);
  return bytes;
}

/**
 * Reads a snapshot. The store has checked that the bytes are those that were written.
 *
 * @throws QStreamError NOT_RECOVERABLE where another version wrote them
 */
export function decodeSnapshot(bytes: Uint8Array): ChannelSnapshot {
  const [written, restFormat = -1, stateFormat = -1] = bytes;
  const formatOfRest = formats[restFormat];
  const formatOfState = formats[stateFormat];
  if (written !== version || formatOfRest === undefined || formatOfState === undefined) {
    throw new QStreamError("NOT_RECOVERABLE", `a checkpoint has version ${written}, this QStream reads ${version}`, {
      advice: "Go on with the version of QStream that the execution was started with",
    });
  }
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  const restEnd = headBytes + head.getUint32(3, true);
  const rows = head.getUint32(7, true);
  const rest = { format: formatOfRest, rows: 1, bytes: bytes.slice(headBytes, restEnd).buffer };
  const snapshot = decodeObjects(rest)[0] as ChannelSnapshot;
  if (snapshot.before !== undefined) return { ...decodeSnapshot(snapshot.before), inputs: snapshot.inputs };
  if (rows === 0) return snapshot;
  return { ...snapshot, state: decodeObjects({ format: formatOfState, rows, bytes: bytes.slice(restEnd).buffer }) };
}
