import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import type { ColumnsIn, RowIn as TypedRowIn } from "./batch-types.ts";
import type { Key } from "./contracts/partition.ts";

/** The row that an object is, or that a columnar batch is made of: of one whose type doesn't tell, any columns. */
export type RowIn<T> = TypedRowIn<T> extends Table | DataFrame ? Readonly<Record<string, unknown>> : TypedRowIn<T>;

/** For each property of a row its name, if its values can be keys. Index it by `keyof RowIn<T>` for the names. */
export type KeyColumns<T> = {
  readonly [Name in keyof RowIn<T>]-?: Name extends string
    ? unknown extends RowIn<T>[Name]
      ? Name
      : RowIn<T>[Name] extends Key
        ? Name
        : never
    : never;
};

/** How a key is taken from objects of a known type: by a function, or by names that their rows have. */
export type KeyOf<T> = ((object: T) => Key) | ColumnsIn<T> | readonly ColumnsIn<T>[];
