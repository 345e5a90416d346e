import type { DataFrame, Expr } from "nodejs-polars";
import type { PolarsLibrary } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ColumnField, ColumnKind } from "../../lib/core/schema.ts";
import type { ParquetKind } from "./columns.ts";

/** A column as a cast sees it. */
export interface FoundColumn {
  readonly name: string;
  readonly kind: ParquetKind;
  /** The type in words, for messages. */
  readonly type: string;
}

// What a declared type accepts. A value that doesn't fit (2^40 for an int32) is found when it is converted.
const accepted: Readonly<Record<ColumnKind, readonly ParquetKind[]>> = {
  string: ["string", "decimal"],
  int32: ["integer", "unsigned"],
  int64: ["integer", "unsigned"],
  float64: ["float", "integer", "unsigned", "decimal"],
  boolean: ["boolean"],
  timestamp: ["timestamp", "date"],
  date: ["date"],
};

/** Converts a column to its declared type, or throws BAD_INPUT if that would change the meaning of its values. */
export function castColumn(
  polars: PolarsLibrary,
  column: FoundColumn,
  field: ColumnField,
  { file, exactTime }: { readonly file: string; readonly exactTime: boolean },
): Expr {
  if (!accepted[field.kind].includes(column.kind)) {
    throw new QStreamError("BAD_INPUT", `the column's type is ${column.type}, and it is declared as ${field.kind}`, {
      file,
      column: field.name,
      advice: "Declare the column with its own type, or convert it in a map after the reader.",
    });
  }
  const value = polars.col(field.name);
  switch (field.kind) {
    case "string":
      return column.kind === "string" ? value : value.cast(polars.String, true);
    case "int32":
      return value.cast(polars.Int32, true);
    case "int64":
      return value.cast(polars.Int64, true);
    case "float64":
      return value.cast(polars.Float64, true);
    case "timestamp":
      // A Date has milliseconds; batches keep what the file has.
      return exactTime && column.kind === "timestamp" ? value : value.cast(polars.Datetime("ms"), true);
    case "boolean":
    case "date":
      return value;
  }
}

/** The types of a frame's column that are a declared kind as they are. */
const alreadyOfKind: Readonly<Record<ColumnKind, readonly string[]>> = {
  string: ["string", "utf8"],
  int32: ["int32"],
  int64: ["int64"],
  float64: ["float64"],
  boolean: ["bool"],
  timestamp: [],
  date: ["date"],
};

/** True if the columns of a frame are those that are declared, in order and type, so that nothing needs to be cast. */
export function areDeclared(columns: readonly FoundColumn[], fields: readonly ColumnField[]): boolean {
  return (
    columns.length === fields.length &&
    fields.every(({ name, kind }, index) => {
      const column = columns[index];
      return column?.name === name && alreadyOfKind[kind].includes(column.type);
    })
  );
}

const kindOfVariant: Readonly<Record<string, ParquetKind>> = {
  String: "string",
  Utf8: "string",
  Categorical: "string",
  Enum: "string",
  Int8: "integer",
  Int16: "integer",
  Int32: "integer",
  Int64: "integer",
  UInt8: "unsigned",
  UInt16: "unsigned",
  UInt32: "unsigned",
  UInt64: "unsigned",
  Float32: "float",
  Float64: "float",
  Bool: "boolean",
  Datetime: "timestamp",
  Date: "date",
  Decimal: "decimal",
};

/** The columns of a frame that a user's function made. */
export function frameColumns(frame: DataFrame): FoundColumn[] {
  return frame.columns.map((name, index) => {
    const variant = (frame.dtypes[index] as { readonly variant?: string } | undefined)?.variant ?? "other";
    return { name, kind: kindOfVariant[variant] ?? "other", type: variant.toLowerCase() };
  });
}
