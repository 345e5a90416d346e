import { QStreamError } from "../../lib/core/errors.ts";
import type { ParquetColumn, ParquetKind } from "./columns.ts";
import type { ColumnStatistics, ParquetFooter, ParquetRowGroup } from "./footer.ts";

/** A value that a column is compared with. */
export type WhereValue = string | number | bigint | boolean | Date | null;

/** How a column is compared. */
export type WhereOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in";

/**
 * A condition on one column: `["delay", ">", 15]`, `["origin", "in", ["SFO", "OAK"]]`. Null meets only `["c", "==", null]`;
 * `["c", "!=", null]` is met by everything else.
 */
export type Where<Name extends string = string> =
  | readonly [column: Name, operator: Exclude<WhereOperator, "in">, value: WhereValue]
  | readonly [column: Name, operator: "in", values: readonly Exclude<WhereValue, null>[]];

const valueKinds: Readonly<Record<ParquetKind, readonly string[]>> = {
  string: ["string"],
  integer: ["number", "bigint"],
  unsigned: ["number", "bigint"],
  float: ["number", "bigint"],
  boolean: ["boolean"],
  timestamp: ["date"],
  date: ["date"],
  decimal: [],
  other: [],
};

/** Refuses conditions on columns that aren't there, and values that the column can't be compared with. */
export function checkWhere(where: readonly Where[], footer: ParquetFooter, file: string): void {
  for (const [name, operator, value] of where) {
    const column = findColumn(name, footer.columns, file);
    const values = operator === "in" ? value : [value];
    if (operator !== "in" && value === null && (operator === "==" || operator === "!=")) continue;
    for (const single of values) {
      const kind = single === null ? "null" : single instanceof Date ? "date" : typeof single;
      if (valueKinds[column.kind].includes(kind)) continue;
      throw new QStreamError("BAD_INPUT", `a ${column.type} column can't be compared with a ${kind} by ${operator}`, {
        file,
        column: name,
        advice: "Compare it with a value of its own type, or filter the stream after the reader.",
      });
    }
  }
}

/** The column of this name, or an error that lists the ones there are. */
export function findColumn(name: string, columns: readonly ParquetColumn[], file: string): ParquetColumn {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  throw new QStreamError("BAD_INPUT", `the Parquet file has no column "${name}"`, {
    file,
    column: name,
    advice: `Its columns are ${columns.map((column) => `${column.name} (${column.type})`).join(", ")}.`,
  });
}

/** False if the statistics of the row group prove that no row of it meets all conditions. */
export function mayMatch(group: ParquetRowGroup, columns: readonly ParquetColumn[], where: readonly Where[]): boolean {
  return where.every((condition) => {
    const column = columns.find(({ name }) => name === condition[0]);
    const chunk = group.chunks.find((candidate) => candidate.column === condition[0]);
    if (column === undefined || chunk === undefined || column.leaves !== 1) return true;
    return conditionMayHold(condition, column.kind, chunk.statistics, group.rows);
  });
}

function conditionMayHold(
  [, operator, value]: Where,
  kind: ParquetKind,
  known: ColumnStatistics,
  rows: number,
): boolean {
  if (operator === "in") return value.some((single) => comparisonMayHold("==", single, kind, known));
  if (value !== null) return comparisonMayHold(operator, value, kind, known);
  if (known.nulls === undefined) return true;
  return operator === "==" ? known.nulls > 0 : known.nulls < rows;
}

function comparisonMayHold(
  operator: Exclude<WhereOperator, "in">,
  value: Exclude<WhereValue, null>,
  kind: ParquetKind,
  known: ColumnStatistics,
): boolean {
  const wanted = comparable(value, kind, 0);
  const min = comparable(known.min, kind, -1);
  const max = comparable(known.max, kind, 1);
  if (wanted === undefined || min === undefined || max === undefined) return true;
  // NaN is above every number where rows are compared, and never in the statistics.
  const aboveMax = kind === "float" && (operator === ">" || operator === ">=");
  switch (operator) {
    case "==":
      return order(min, wanted) <= 0 && order(wanted, max) <= 0;
    case "<":
      return order(min, wanted) < 0;
    case "<=":
      return order(min, wanted) <= 0;
    case ">":
      return aboveMax || order(max, wanted) > 0;
    case ">=":
      return aboveMax || order(max, wanted) >= 0;
    case "!=":
      return true;
  }
}

type Comparable = number | bigint | Buffer;

/** A value in the order that Parquet gives its column, or undefined where there is none to rely on. */
function comparable(value: unknown, kind: ParquetKind, slackMs: number): Comparable | undefined {
  // A bound that was cut within a character shows as a replacement character and can't be compared.
  if (kind === "string") return typeof value === "string" && !value.includes("\uFFFD") ? Buffer.from(value) : undefined;
  if (kind === "timestamp" || kind === "date") {
    // Statistics were cut to milliseconds: the true bound is less than one further out.
    return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() + slackMs : undefined;
  }
  if (kind !== "integer" && kind !== "float") return undefined;
  if (typeof value === "bigint") return value;
  return typeof value === "number" && !Number.isNaN(value) ? value : undefined;
}

function order(a: Comparable, b: Comparable): number {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
