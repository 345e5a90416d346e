import { decodeSnapshot } from "../../actors/channel/channel-snapshot.ts";
import { unpackCheckpoint } from "../../actors/lineage/checkpoint-bytes.ts";

/** What a checkpoint holds. */
export interface SavedState {
  /** The last task that it covers. */
  readonly seq: number;
  /** What the operator's or sink's `snapshot` gave. */
  readonly state: unknown;
}

/**
 * Reads a checkpoint as an embedded store keeps it in its folder of checkpoints.
 *
 * @throws QStreamError NOT_RECOVERABLE for bytes that no checkpoint has
 */
export function readCheckpoint(bytes: Uint8Array): SavedState {
  const { seq, state } = decodeSnapshot(unpackCheckpoint(bytes).state);
  return { seq, state };
}
