import type { CheckpointHead, LinkPosition } from "../../lib/core/contracts/lineage.ts";
import { QStreamError } from "../../lib/core/errors.ts";

const lengthBytes = 4;

type Row = readonly [edge: number, other: number, seq: number];
type Head = readonly [
  consumed: readonly Row[],
  made: readonly Row[],
  changes?: readonly [base: number, previous: number],
];

/**
 * A checkpoint as it is stored: where its channel's links stood, which recovery is planned by, and what it stands on itself;
 * then the state. That is written where it is to be, since it may be large.
 *
 * @param write - makes the bytes of the state, behind so many bytes of room
 */
export function packCheckpoint(head: CheckpointHead, write: (room: number) => Uint8Array): Uint8Array {
  const { consumed, made, changes } = head;
  const rows = (positions: readonly LinkPosition[]): Row[] =>
    positions.map(({ edge, other, seq }) => [edge, other, seq]);
  const content: Head =
    changes === undefined
      ? [rows(consumed), rows(made)]
      : [rows(consumed), rows(made), [changes.base, changes.previous]];
  const text = new TextEncoder().encode(JSON.stringify(content));
  const bytes = write(lengthBytes + text.byteLength);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, text.byteLength, true);
  bytes.set(text, lengthBytes);
  return bytes;
}

/** @throws QStreamError NOT_RECOVERABLE for bytes that no checkpoint has */
export function unpackCheckpoint(bytes: Uint8Array): { readonly head: CheckpointHead; readonly state: Uint8Array } {
  const length = bytes.byteLength < lengthBytes ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length < 0 || lengthBytes + length > bytes.byteLength) {
    throw new QStreamError("NOT_RECOVERABLE", "a checkpoint is shorter than it says");
  }
  const text = new TextDecoder().decode(bytes.subarray(lengthBytes, lengthBytes + length));
  const [consumed, made, changes] = JSON.parse(text) as Head;
  const positions = (rows: readonly Row[]): LinkPosition[] => rows.map(([edge, other, seq]) => ({ edge, other, seq }));
  return {
    head: {
      consumed: positions(consumed),
      made: positions(made),
      changes: changes === undefined ? undefined : { base: changes[0], previous: changes[1] },
    },
    state: bytes.subarray(lengthBytes + length),
  };
}
