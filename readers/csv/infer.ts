import type { ColumnType } from "../../lib/core/schema.ts";
import { conversions, notAValue } from "./values.ts";

const integer = /^[+-]?(?:0|[1-9]\d*)$/u;
const leadingZero = /^[+-]?0\d/u;

/**
 * The type of a column by its first values, always nullable: rows further down may lack it. Whole numbers are `integers`
 * (int64 where a value is beyond what a number holds exactly); digits that start with a zero are text, like a ZIP code.
 */
export function inferType(values: readonly string[], integers: "float64" | "int64"): ColumnType {
  if (values.length === 0) return "string?";
  if (values.every((value) => integer.test(value))) {
    const safe = values.every((value) => Number.isSafeInteger(Number(value)));
    if (safe) return `${integers}?`;
    return values.every((value) => conversions.int64(value) !== notAValue) ? "int64?" : "string?";
  }
  for (const kind of ["float64", "boolean", "date", "timestamp"] as const) {
    if (kind === "float64" && values.some((value) => leadingZero.test(value))) continue;
    if (values.every((value) => conversions[kind](value) !== notAValue)) return `${kind}?`;
  }
  return "string?";
}
