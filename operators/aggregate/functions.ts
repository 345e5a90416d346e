/** What an aggregate makes of the values of a group. */
export type AggregateKind = "count" | "count-distinct" | "first" | "max" | "mean" | "min" | "sum";

/** A declared aggregate: plain data, made by `count()`, `sum("delay")` and so on. */
export interface Aggregate<Kind extends AggregateKind = AggregateKind, Column extends string = string> {
  readonly kind: Kind;
  /** The property or column; undefined only for `count()`. */
  readonly column: Column | undefined;
}

/** How many objects or rows a group has; with a column, how many values that aren't missing. */
export function count<Column extends string = never>(column?: Column): Aggregate<"count", Column> {
  return { kind: "count", column };
}

/**
 * The sum of a column's numbers or bigints; 0 for none. Sums of whole numbers are exact. Of plain objects, so are those of
 * fractions: rounded once, at the end, whatever their order.
 */
export function sum<Column extends string>(column: Column): Aggregate<"sum", Column> {
  return { kind: "sum", column };
}

/** The mean of a column's numbers or bigints, as a number; null for none. */
export function mean<Column extends string>(column: Column): Aggregate<"mean", Column> {
  return { kind: "mean", column };
}

/** The smallest value of a column, in the order of `sort`; NaN only where there is nothing else, and null for none. */
export function min<Column extends string>(column: Column): Aggregate<"min", Column> {
  return { kind: "min", column };
}

/** The largest value of a column, in the order of `sort`; NaN only where there is nothing else, and null for none. */
export function max<Column extends string>(column: Column): Aggregate<"max", Column> {
  return { kind: "max", column };
}

/** Any one value of a column that isn't missing: the first that came; null for none. */
export function first<Column extends string>(column: Column): Aggregate<"first", Column> {
  return { kind: "first", column };
}

/** How many different values a column has, without missing ones. Holds all of them. */
export function countDistinct<Column extends string>(column: Column): Aggregate<"count-distinct", Column> {
  return { kind: "count-distinct", column };
}

type Present<Value> = Exclude<Value, null | undefined>;

type SumOf<Value> = [Extract<Value, bigint>] extends [never]
  ? number
  : Extract<Value, number> extends never
    ? bigint
    : number | bigint;

/** The type of what an aggregate gives, for objects of type `Row`. */
export type AggregateValue<Row, A extends Aggregate, Count = number> =
  A extends Aggregate<infer Kind, infer Column>
    ? Kind extends "count" | "count-distinct"
      ? Count
      : Kind extends "mean"
        ? number | null
        : Kind extends "sum"
          ? SumOf<Row[Column & keyof Row]> | (number extends Count ? never : bigint)
          : Present<Row[Column & keyof Row]> | null
    : never;
