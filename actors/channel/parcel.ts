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
