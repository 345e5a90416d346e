import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";

/** How a store is made for the tests that all stores have to pass. */
export interface StoreUnderTest {
  /** Opens it: a store of the same place each time. */
  readonly open: () => Promise<LineageStore>;
  /** True if what was written is there when it is opened again. */
  readonly survives: boolean;
  /** Bytes of checkpoints worth trying: a store may keep small and large ones differently. */
  readonly checkpointBytes: readonly number[];
}

let executions = 0;

/** An id that no other test has used. */
export function newExecution(): string {
  return `execution-${process.pid}-${++executions}`;
}

export function records(count: number, first = 0, length = 20): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => new Uint8Array(length).fill((first + index) % 251));
}

/** Bytes that aren't all the same, so that a piece in a wrong place is found. */
export function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
