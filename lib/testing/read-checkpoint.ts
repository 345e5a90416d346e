import { decodeSnapshot } from "../../actors/channel/channel-snapshot.ts";
import { unpackCheckpoint } from "../../actors/lineage/checkpoint-bytes.ts";

/** What a checkpoint holds. */
export interface SavedState {
  /** The last task that it covers. */
  readonly seq: number;
  /** What the operator's or sink's `snapshot` gave, or its `changes`. */
  readonly state: unknown;
  /** Pending timers with the milliseconds since 1970 at which they go off; with `previous`, what became of timers since. */
  readonly timers: readonly (readonly [name: string, at: number | undefined])[];
  /** Seq of the checkpoint since which the state has changed by that; undefined where it is all of the state. */
  readonly previous: number | undefined;
}

/**
 * Reads a checkpoint as an embedded store keeps it in its folder of checkpoints.
 *
 * @throws QStreamError NOT_RECOVERABLE for bytes that no checkpoint has
 */
export function readCheckpoint(bytes: Uint8Array): SavedState {
  const { head, state: content } = unpackCheckpoint(bytes);
  const { seq, state, timers = [] } = decodeSnapshot(content);
  return { seq, state, timers, previous: head.changes?.previous };
}
