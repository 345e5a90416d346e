/**
 * A parcel's objects in the form in which they leave a slot: one buffer that describes itself, so that threads, processes,
 * spools and frames all carry the same bytes.
 */
export interface Payload {
  /** `columns`: objects of one shape, a column a property; `clone`: structured-clone bytes; `batch`: one Arrow or Polars batch. */
  readonly format: "columns" | "clone" | "batch";
  /** Objects, or rows of the batch. */
  readonly rows: number;
  /** The whole content. Given away with the payload: a transport may transfer it. */
  readonly bytes: ArrayBuffer;
  /**
   * Structured clone is in it, whose bytes tell how the engine holds a number: those of equal objects may differ, so that
   * no checksum is taken of them.
   */
  readonly cloned?: boolean;
  /** CRC-32 of the bytes, where the lineage keeps it: whoever sends them needn't make it again. */
  readonly checksum?: number;
  /** The bytes are packed by LZ4, and were so many before: on the way between two machines only. `checksum` is that of the packed. */
  readonly unpackedBytes?: number;
}
