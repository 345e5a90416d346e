import { nextState, stateOf } from "./draw.ts";

export const blockBytes = 1 << 16;

/** A block of bytes that no other block has, and which can be drawn again. */
export interface ByteBlock {
  readonly block: number;
  readonly bytes: Uint8Array;
}

export function drawBytes(seed: number, block: number): Uint8Array {
  const words = new Uint32Array(blockBytes / 4);
  let state = stateOf(seed, block);
  for (let at = 0; at < words.length; at++) {
    state = nextState(state);
    words[at] = state;
  }
  return new Uint8Array(words.buffer);
}

/** A digest of a block, which depends on every byte and on the block's number. */
export function digestOf({ block, bytes }: ByteBlock): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  let digest = Math.imul(block + 1, 0x9e3779b1);
  for (let at = 0; at < words.length; at++) digest = Math.imul(digest ^ (words[at] ?? 0), 0x01000193);
  return digest >>> 0;
}

/** Bytes that a reader draws in a millisecond, at its best. */
export function drawingSpeed(): number {
  let fastest = Infinity;
  for (let attempt = 0; attempt < 10; attempt++) {
    const from = performance.now();
    for (let block = 0; block < 64; block++) drawBytes(attempt, block);
    fastest = Math.min(fastest, performance.now() - from);
  }
  return (64 * blockBytes) / fastest;
}
