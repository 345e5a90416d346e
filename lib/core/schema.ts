import { QStreamError } from "./errors.ts";

/** The values that a column can hold, by name. */
export type ColumnKind = "string" | "int32" | "int64" | "float64" | "boolean" | "timestamp" | "date";

/** A column's type: its kind, with a question mark where values may be missing (null). */
export type ColumnType = ColumnKind | `${ColumnKind}?`;

/** Names and types of columns, in order. */
export type Columns = Readonly<Record<string, ColumnType>>;

interface KindValues {
  string: string;
  int32: number;
  int64: bigint;
  float64: number;
  boolean: boolean;
  timestamp: Date;
  date: Date;
}

/** The JavaScript value of a column type: `"int64?"` gives `bigint | null`. */
export type ValueOf<Type extends ColumnType> = Type extends `${infer Kind extends ColumnKind}?`
  ? KindValues[Kind] | null
  : Type extends ColumnKind
    ? KindValues[Type]
    : never;

/** The plain object that a row of these columns is. */
export type Row<S extends Columns> = { -readonly [Name in keyof S]: ValueOf<S[Name]> } & {};

/** Any value that a column can hold. */
export type ColumnValue = ValueOf<ColumnType>;

/** A column type taken apart. */
export interface ColumnField {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
}

const kinds: ReadonlySet<string> = new Set<ColumnKind>([
  "string",
  "int32",
  "int64",
  "float64",
  "boolean",
  "timestamp",
  "date",
]);

/**
 * Declares the columns of rows: names and types, so that readers check values and streams have a row type.
 *
 * Types are `string`, `int32` (number), `int64` (bigint), `float64` (number), `boolean`, `timestamp` (Date, UTC where no
 * zone is given) and `date` (Date at midnight UTC); with `?` the value may be null.
 *
 * @param columns - a type for each column name
 * @returns the same object with its literal types kept
 * @throws QStreamError OPTION_INVALID for an unknown type
 * @example
 * const airport = schema({ iata: "string", city: "string?", id: "int64" });
 * type Airport = Row<typeof airport>; // { iata: string; city: string | null; id: bigint }
 */
export function schema<const S extends Columns>(columns: S): S {
  schemaFields(columns);
  return columns;
}

/** Takes a schema apart, and refuses types that don't exist. */
export function schemaFields(columns: Columns): readonly ColumnField[] {
  return Object.entries(columns).map(([name, type]) => {
    const nullable = type.endsWith("?");
    const kind = nullable ? type.slice(0, -1) : type;
    if (!kinds.has(kind)) {
      throw new QStreamError("OPTION_INVALID", `"${type}" is no type of a column`, {
        column: name,
        advice: `Use one of ${[...kinds].join(", ")}, with a question mark where values may be missing.`,
      });
    }
    return { name, kind: kind as ColumnKind, nullable };
  });
}
