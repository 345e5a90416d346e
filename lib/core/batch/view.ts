/** A columnar batch as routers see it: rows, and the hash or the plain values of key columns. */
export interface ColumnarView {
  /** The Arrow table or Polars frame itself. */
  readonly batch: unknown;
  readonly rows: number;
  readonly columns: readonly string[];
  /** Canonical hash of each row's key, by `hashKey`'s rules: equal to the hash of the same key as a JavaScript value. */
  hashRows: (columns: readonly string[]) => Uint32Array;
  /** A column's values as JavaScript values (numbers, strings, bigints, null), for range and custom functions. */
  values: (column: string) => ArrayLike<unknown>;
}
