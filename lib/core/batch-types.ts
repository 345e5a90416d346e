import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";

declare const rowOf: unique symbol;

/** An Arrow table whose rows are known to the compiler. */
export type ArrowBatch<Row = Record<string, unknown>> = Table & { readonly [rowOf]?: Row };

/** A Polars frame whose rows are known to the compiler. */
export type PolarsBatch<Row = Record<string, unknown>> = DataFrame & { readonly [rowOf]?: Row };

/** A columnar batch: one object of a stream that holds many rows. */
export type Batch<Row = Record<string, unknown>> = ArrowBatch<Row> | PolarsBatch<Row>;

/** The row type of a batch, or the object type itself where a stream holds plain objects. */
export type RowIn<T> = T extends { readonly [rowOf]?: infer Row }
  ? typeof rowOf extends keyof T
    ? NonNullable<Row>
    : T
  : T;

/** Names that rows of a stream have. */
export type ColumnsIn<T> = Extract<keyof RowIn<T>, string>;
