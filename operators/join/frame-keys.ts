import type { DataFrame, DataType, Expr } from "nodejs-polars";
import { loadPolars } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** A key column: of which frame, at which place, and the name by which an expression finds it. */
export interface KeyPlace {
  readonly frame: DataFrame;
  readonly place: number;
  readonly name: string;
}

type Family = "integer" | "float" | "text" | "time" | "null" | "other";

const families: Readonly<Record<string, Family>> = {
  Int8: "integer",
  Int16: "integer",
  Int32: "integer",
  Int64: "integer",
  UInt8: "integer",
  UInt16: "integer",
  UInt32: "integer",
  UInt64: "integer",
  Float32: "float",
  Float64: "float",
  String: "text",
  Utf8: "text",
  Categorical: "text",
  Enum: "text",
  Date: "time",
  Datetime: "time",
  Null: "null",
};

/**
 * Expressions that give two key columns one type in which they are compared exactly: whole numbers as Int64, also where the
 * other side is Float64 (2.5 then matches none), text and categories as text, times in the coarser unit.
 * @throws QStreamError BAD_INPUT for types that can't be equal
 */
export function comparableKeys(left: KeyPlace, right: KeyPlace): { readonly left: Expr; readonly right: Expr } {
  const pl = loadPolars();
  const [leftType, rightType] = [typeAt(left), typeAt(right)];
  const both = new Set([familyOf(leftType), familyOf(rightType)]);
  const to = (target: DataType): { left: Expr; right: Expr } => ({
    left: exactly(left.name, leftType, target),
    right: exactly(right.name, rightType, target),
  });
  if (both.has("text") && both.size === 1) return to(pl.Utf8);
  if (String(leftType) === String(rightType)) return { left: pl.col(left.name), right: pl.col(right.name) };
  if (both.has("null")) return to(familyOf(leftType) === "null" ? rightType : leftType);
  if (both.has("integer") && (both.size === 1 || both.has("float"))) return to(pl.Int64);
  if (both.has("float") && both.size === 1) return to(pl.Float64);
  if (both.has("time") && both.size === 1) return to(pl.Datetime(coarser(leftType, rightType)));
  throw new QStreamError("BAD_INPUT", `keys of types ${nameOf(leftType)} and ${nameOf(rightType)} can't be equal`, {
    column: left.frame.columns[left.place] ?? left.name,
    advice: `Convert one of them: on the right side the key is "${right.frame.columns[right.place] ?? right.name}".`,
  });
}

function typeAt({ frame, place }: KeyPlace): DataType {
  return frame.dtypes[place] as DataType;
}

function familyOf(type: DataType): Family {
  return families[variantOf(type)] ?? "other";
}

function variantOf(type: DataType): string {
  return (type as unknown as { readonly variant: string }).variant;
}

function nameOf(type: DataType): string {
  return String(type).replace(/^DataType\((.*)\)$/u, "$1");
}

const units = ["ms", "us", "ns"] as const;

/** The unit of both that has fewer digits. A Date counts as milliseconds, which hold it exactly. */
function coarser(left: DataType, right: DataType): "ms" | "us" | "ns" {
  const unitOf = (type: DataType): number => {
    const unit = /Datetime\((ms|us|ns)/u.exec(String(type))?.[1] ?? "ms";
    return units.indexOf(unit as "ms");
  };
  return units[Math.min(unitOf(left), unitOf(right))] ?? "ms";
}

/** A column in another type; a value that isn't exactly one of that type becomes null, which matches none. */
function exactly(name: string, from: DataType, to: DataType): Expr {
  const pl = loadPolars();
  const column = pl.col(name);
  if (String(from) === String(to)) return column;
  const cast = column.cast(to, false);
  const losing = (familyOf(from) === "float" && variantOf(to) === "Int64") || variantOf(from) === "Datetime";
  if (!losing) return cast;
  const back = cast.cast(from, false);
  return pl.when(back.eq(column)).then(cast).otherwise(pl.lit(null));
}
