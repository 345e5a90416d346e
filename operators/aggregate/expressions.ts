import type { DataFrame, Expr } from "nodejs-polars";
import { loadPolars } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Aggregate } from "./functions.ts";
import type { AggregatePlan } from "./plan.ts";

/** What the type of a column is called by Polars, and its decimal places where it has any. */
interface TypeOfColumn {
  readonly variant: string;
  readonly scale?: number;
}

const integers = /^U?Int(8|16|32|64)$/;
const wide = /^U?Int64$/;

/** The type of a frame's column. */
export function typeOf(frame: DataFrame, column: string): TypeOfColumn {
  return frame.dtypes[frame.columns.indexOf(column)] as unknown as TypeOfColumn;
}

/** Sums of a batch with values up to this, over all its rows, don't leave 64 bits. */
const wideSumMax = 2 ** 62;

/** Expressions that make the states of aggregates from a frame's rows; `grouped` unless the whole frame is one group. */
export function stateExpressions(frame: DataFrame, plan: AggregatePlan, grouped: boolean): Expr[] {
  const pl = loadPolars();
  return plan.aggregates.flatMap(({ kind, column }, index) => {
    const name = `${plan.stateName}${index}`;
    if (column === undefined) return [pl.len().cast(pl.Int64).alias(name)];
    const values = pl.col(column);
    switch (kind) {
      case "count":
        return [values.count().cast(pl.Int64).alias(name)];
      case "sum":
        return [sumState(frame, column).alias(name)];
      case "mean":
        return [sumState(frame, column).alias(name), values.count().cast(pl.Int64).alias(`${name}n`)];
      case "min":
        return [values.min().alias(name)];
      case "max":
        return [values.max().alias(name)];
      case "first":
        return [present(values).first().alias(name)];
      case "count-distinct":
        return [listed(present(values).unique(true), grouped).alias(name)];
    }
  });
}

/** Expressions that make one state of the states of several parts of a group. */
export function mergeExpressions(plan: AggregatePlan, grouped: boolean): Expr[] {
  const pl = loadPolars();
  return plan.aggregates.flatMap(({ kind }, index) => {
    const name = `${plan.stateName}${index}`;
    const states = pl.col(name);
    switch (kind) {
      case "count":
      case "sum":
        return [states.sum().alias(name)];
      case "mean":
        return [states.sum().alias(name), pl.col(`${name}n`).sum().alias(`${name}n`)];
      case "min":
        return [states.min().alias(name)];
      case "max":
        return [states.max().alias(name)];
      case "first":
        return [present(states).first().alias(name)];
      case "count-distinct":
        return [listed(present(states.explode()).unique(true), grouped).alias(name)];
    }
  });
}

/** Expressions that make results of states. */
export function resultExpressions(states: DataFrame, plan: AggregatePlan): Expr[] {
  return plan.aggregates.map((aggregate, index) =>
    resultOf(states, aggregate, `${plan.stateName}${index}`).alias(plan.names[index] as string),
  );
}

function resultOf(states: DataFrame, { kind }: Aggregate, name: string): Expr {
  const pl = loadPolars();
  const state = pl.col(name);
  switch (kind) {
    case "sum":
      return isWhole(states, name) ? state.cast(pl.Int64, true) : state;
    case "mean": {
      const values = pl.col(`${name}n`);
      return pl.when(values.gt(0)).then(state.cast(pl.Float64).div(values)).otherwise(pl.lit(null)).cast(pl.Float64);
    }
    case "count-distinct":
      return state.lst.lengths().cast(pl.Int64);
    default:
      return state;
  }
}

/** Sums of whole numbers are kept as decimals of 38 digits, which no sum of 64-bit numbers leaves. */
function sumState(frame: DataFrame, column: string): Expr {
  const pl = loadPolars();
  const { variant } = typeOf(frame, column);
  const values = pl.col(column);
  if (integers.test(variant)) {
    const decimal = pl.Decimal(38, 0);
    if (wide.test(variant) && largestOf(frame, column) * frame.height > wideSumMax) return values.cast(decimal).sum();
    return values.cast(pl.Int64).sum().cast(decimal);
  }
  if (variant === "Float32" || variant === "Float64" || variant === "Null") return values.cast(pl.Float64).sum();
  if (variant === "Decimal") return values.sum();
  throw new QStreamError("BAD_INPUT", `the sum or mean of a column needs numbers, and a batch has ${variant} there`, {
    column,
    advice: "Convert the column first.",
  });
}

/** The largest absolute value, as a number: 64-bit integers themselves are damaged on their way to JavaScript. */
function largestOf(frame: DataFrame, column: string): number {
  const pl = loadPolars();
  const largest = frame.select(pl.col(column).cast(pl.Float64).abs().max().alias("largest"));
  return Number(largest.getColumn("largest").toArray()[0] ?? 0);
}

function isWhole(states: DataFrame, name: string): boolean {
  const { variant, scale } = typeOf(states, name);
  return variant === "Decimal" && (scale ?? 0) === 0;
}

function present(values: Expr): Expr {
  return values.filter(values.isNotNull());
}

/** Values of a group as one list: groups make lists by themselves. */
function listed(values: Expr, grouped: boolean): Expr {
  return grouped ? values : values.implode();
}
