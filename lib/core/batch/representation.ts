/** Which library a columnar batch belongs to. */
export type Representation = "arrow" | "polars";

// Arrow marks its classes with registered symbols, so a table made by another copy of the package is known as well.
const arrowTable = Symbol.for("apache-arrow/Table");
const arrowRecordBatch = Symbol.for("apache-arrow/RecordBatch");

/**
 * Says whether an object of a stream is a columnar batch: an Arrow `Table` (or `RecordBatch`, which counts as a table of one
 * batch) or a Polars `DataFrame`. Looks at markers only and loads neither library.
 *
 * @example
 * representationOf(tableFromArrays({ n: [1, 2] })); // "arrow"
 * representationOf({ n: 1 }); // undefined
 */
export function representationOf(object: unknown): Representation | undefined {
  if (typeof object !== "object" || object === null) return undefined;
  const marked = object as Readonly<Record<PropertyKey, unknown>>;
  if (marked[arrowTable] === true || marked[arrowRecordBatch] === true) return "arrow";
  if (marked[Symbol.toStringTag] === "DataFrame" && typeof marked["_df"] === "object") return "polars";
  return undefined;
}

/** True for an Arrow `RecordBatch` of any copy of the package. */
export function isRecordBatch(object: unknown): boolean {
  return (object as Readonly<Record<PropertyKey, unknown>>)[arrowRecordBatch] === true;
}

/** Rows of a batch, without loading its library. */
export function rowsOfBatch(batch: unknown): number {
  const { numRows, height } = batch as { readonly numRows?: number; readonly height?: number };
  return numRows ?? height ?? 0;
}
