import type { SchemaElement } from "hyparquet";

/** What a column of a Parquet file holds, as far as this reader tells types apart. */
export type ParquetKind =
  | "string"
  | "integer"
  | "unsigned"
  | "float"
  | "boolean"
  | "timestamp"
  | "date"
  | "decimal"
  | "other";

/** A top-level column of a Parquet file. */
export interface ParquetColumn {
  readonly name: string;
  readonly kind: ParquetKind;
  /** The type in words, for messages. */
  readonly type: string;
  /** Unit of a timestamp, and whether it is in UTC rather than in no zone. */
  readonly timestamp?: { readonly unit: "ms" | "us" | "ns"; readonly utc: boolean };
  /** How many columns of the file it consists of: more than one if it is nested. */
  readonly leaves: number;
}

const depthMax = 64;

/** The top-level columns of a file's schema, which lists the nodes of a tree depth first; undefined if it is no tree. */
export function columnsOf(schema: readonly SchemaElement[]): readonly ParquetColumn[] | undefined {
  const columns: ParquetColumn[] = [];
  let at = 1;
  const walk = (depth: number): number | undefined => {
    const element = schema[at++];
    if (element === undefined || depth > depthMax) return undefined;
    if (element.type !== undefined) return 1;
    let leaves = 0;
    for (let child = element.num_children ?? 0; child > 0; child--) {
      const below = walk(depth + 1);
      if (below === undefined) return undefined;
      leaves += below;
    }
    return leaves;
  };
  for (let child = schema[0]?.num_children ?? 0; child > 0; child--) {
    const element = schema[at];
    const leaves = walk(0);
    if (element === undefined || leaves === undefined) return undefined;
    columns.push({ name: element.name, leaves, ...typeOf(element) });
  }
  return at === schema.length ? columns : undefined;
}

function typeOf(element: SchemaElement): Omit<ParquetColumn, "name" | "leaves"> {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type === undefined || element.repetition_type === "REPEATED") return { kind: "other", type: "nested" };
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") return { kind: "decimal", type: "decimal" };
  const timestamp = timestampOf(element);
  if (timestamp !== undefined) return { kind: "timestamp", type: "timestamp", timestamp };
  if (converted === "DATE" || logical?.type === "DATE") return { kind: "date", type: "date" };
  if (type === "BOOLEAN") return { kind: "boolean", type: "boolean" };
  if (type === "FLOAT" || type === "DOUBLE") return { kind: "float", type: type === "FLOAT" ? "float32" : "float64" };
  if (type === "BYTE_ARRAY") return bytesOf(element);
  if ((type === "INT32" || type === "INT64") && !isTime(element)) {
    const unsigned = converted?.startsWith("UINT") === true || (logical?.type === "INTEGER" && !logical.isSigned);
    return { kind: unsigned ? "unsigned" : "integer", type: `${unsigned ? "u" : ""}${type.toLowerCase()}` };
  }
  return { kind: "other", type: (logical?.type ?? converted ?? type).toLowerCase() };
}

function bytesOf({ converted_type: converted, logical_type: logical }: SchemaElement): {
  kind: ParquetKind;
  type: string;
} {
  const text = converted === "UTF8" || converted === "ENUM" || converted === "JSON";
  if (text || logical?.type === "STRING" || logical?.type === "ENUM" || logical?.type === "JSON") {
    return { kind: "string", type: "string" };
  }
  return { kind: "other", type: "bytes" };
}

function isTime({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return logical?.type === "TIME" || converted?.startsWith("TIME_") === true;
}

function timestampOf({
  type,
  converted_type: converted,
  logical_type: logical,
}: SchemaElement): ParquetColumn["timestamp"] {
  // The retired 96-bit form counts nanoseconds and has no zone.
  if (type === "INT96") return { unit: "ns", utc: false };
  if (logical?.type === "TIMESTAMP") {
    const unit = logical.unit === "NANOS" ? "ns" : logical.unit === "MICROS" ? "us" : "ms";
    return { unit, utc: logical.isAdjustedToUTC };
  }
  if (converted === "TIMESTAMP_MILLIS") return { unit: "ms", utc: true };
  if (converted === "TIMESTAMP_MICROS") return { unit: "us", utc: true };
  return undefined;
}
