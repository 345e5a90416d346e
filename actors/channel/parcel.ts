import type { Payload } from "../../lib/core/payload.ts";

/** What one task of one channel sent on one link: by reference within a slot, encoded between slots. */
export interface Parcel {
  readonly from: number;
  readonly seq: number;
  /** Seq of the parcel before it on this link, or -1. */
  readonly previous: number;
  /** Objects; for a columnar batch its rows. */
  readonly rows: number;
  readonly bytes: number;
  /** True if the content is one columnar batch. */
  readonly columnar: boolean;
  readonly content: { readonly objects: readonly unknown[] } | { readonly payload: Payload };
}

const batchCreditMost = 1024;

/**
 * Objects by which a parcel uses up credit. A columnar batch counts as one full parcel at most, however many rows it has: memory
 * is what its bytes take, and a window that two of them use up waits for a network most of the time.
 */
export function creditOf({ columnar, rows }: Pick<Parcel, "columnar" | "rows">): number {
  return columnar ? Math.min(rows, batchCreditMost) : rows;
}
