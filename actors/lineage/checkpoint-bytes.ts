import type { CheckpointPositions, LinkPosition } from "../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../lib/core/errors.ts";

const lengthBytes = 4;

type Row = readonly [edge: number, other: number, seq: number];

/** A checkpoint as it is stored: where its channel's links stood, which recovery is planned by, before the state itself. */
export function packCheckpoint({ consumed, made }: CheckpointPositions, state: Uint8Array): Uint8Array {
  const rows = (positions: readonly LinkPosition[]): Row[] =>
    positions.map(({ edge, other, seq }) => [edge, other, seq]);
  const positions = new TextEncoder().encode(JSON.stringify([rows(consumed), rows(made)]));
  const bytes = new Uint8Array(lengthBytes + positions.byteLength + state.byteLength);
  new DataView(bytes.buffer).setUint32(0, positions.byteLength, true);
  bytes.set(positions, lengthBytes);
  bytes.set(state, lengthBytes + positions.byteLength);
  return bytes;
}

/** @throws QStreamError NOT_RECOVERABLE for bytes that no checkpoint has */
export function unpackCheckpoint(bytes: Uint8Array): {
  readonly positions: CheckpointPositions;
  readonly state: Uint8Array;
} {
  const length = bytes.byteLength < lengthBytes ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length < 0 || lengthBytes + length > bytes.byteLength) {
    throw new QStreamError("NOT_RECOVERABLE", "a checkpoint is shorter than it says");
  }
  const text = new TextDecoder().decode(bytes.subarray(lengthBytes, lengthBytes + length));
  const [consumed, made] = JSON.parse(text) as readonly [readonly Row[], readonly Row[]];
  const positions = (rows: readonly Row[]): LinkPosition[] => rows.map(([edge, other, seq]) => ({ edge, other, seq }));
  return {
    positions: { consumed: positions(consumed), made: positions(made) },
    state: bytes.subarray(lengthBytes + length),
  };
}
