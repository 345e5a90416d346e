import type { DataFrame, Expr, LazyDataFrame } from "nodejs-polars";
import type { PolarsLibrary } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ColumnField } from "../../lib/core/schema.ts";
import type { ParquetColumn } from "./columns.ts";
import { areDeclared, castColumn, frameColumns } from "./cast.ts";
import type { ParquetFooter } from "./footer.ts";
import type { ParquetSettings } from "./options.ts";
import type { ParquetSplit } from "./splits.ts";
import { findColumn } from "./where.ts";
import type { Where, WhereValue } from "./where.ts";

/** What a scan needs to know of the split's file. */
export interface ScannedFile {
  /** Path that Polars opens: the file itself, or a stand-in with the split's bytes. */
  readonly localPath: string;
  readonly footer: ParquetFooter;
}

/**
 * Decodes the rows of a split with Polars: columns, conditions and the user's frame function go into one scan.
 *
 * The call is synchronous: in this version of nodejs-polars the asynchronous `collect` ignores the choice of an engine and
 * takes the in-memory one, which needs two to three times as long for an aggregation.
 */
export function scanSplit(
  polars: PolarsLibrary,
  file: ScannedFile,
  split: ParquetSplit,
  settings: ParquetSettings,
): DataFrame {
  const { footer } = file;
  let scan = polars.scanParquet(file.localPath, { glob: false });
  if (!split.whole) scan = scan.slice(split.firstRow, split.rows);
  for (const condition of settings.where) {
    scan = scan.filter(conditionOf(polars, findColumn(condition[0], footer.columns, split.path), condition));
  }
  const { frame } = settings;
  // A projection costs a tenth of a short scan, and Polars leaves out columns that the user's function doesn't touch.
  if (frame === undefined || settings.names !== undefined)
    scan = scan.select(...projection(polars, footer, split, settings));
  const made = collect(frame === undefined ? scan : applyFrame(scan, frame, split), split, frame !== undefined);
  if (frame === undefined) {
    checkNulls(made, settings.fields, split);
    return made;
  }
  return settings.result === undefined ? made : castResult(polars, made, settings, split);
}

function projection(
  polars: PolarsLibrary,
  footer: ParquetFooter,
  split: ParquetSplit,
  settings: ParquetSettings,
): Expr[] {
  const names = settings.names ?? footer.columns.map(({ name }) => name);
  const objects = settings.form === "objects" && settings.frame === undefined;
  return names.map((name, index) => {
    const column = findColumn(name, footer.columns, split.path);
    const field = settings.fields?.[index];
    if (field !== undefined && column.kind !== "string") {
      return castColumn(polars, column, field, { file: split.path, exactTime: !objects });
    }
    if (field !== undefined) castColumn(polars, column, field, { file: split.path, exactTime: true });
    // Plain objects are made from a dictionary's few strings far faster than from one string a row.
    if (objects && split.fewValues.includes(name)) return polars.col(name).cast(polars.Categorical);
    return polars.col(name);
  });
}

function conditionOf(polars: PolarsLibrary, column: ParquetColumn, [name, operator, value]: Where): Expr {
  const left = polars.col(name);
  if (operator === "in") {
    const [first, ...rest] = value.map((single) => left.eq(literal(polars, column, single)));
    if (first === undefined) return polars.lit(false);
    return rest.reduce((any, next) => any.or(next), first);
  }
  if (value === null) return operator === "==" ? left.isNull() : left.isNotNull();
  const right = literal(polars, column, value);
  switch (operator) {
    case "==":
      return left.eq(right);
    case "!=":
      return left.neq(right);
    case "<":
      return left.lt(right);
    case "<=":
      return left.ltEq(right);
    case ">":
      return left.gt(right);
    case ">=":
      return left.gtEq(right);
  }
}

/** A literal of the column's own type, so that the comparison is exact and can use statistics. */
function literal(polars: PolarsLibrary, column: ParquetColumn, value: Exclude<WhereValue, null>): Expr {
  // A 64-bit integer is written in digits: as a JavaScript value it would be damaged on its way.
  const integer = (digits: bigint): Expr => {
    const wide = column.kind === "unsigned" && digits >= 0n ? polars.UInt64 : polars.Int64;
    return polars.lit(digits.toString()).cast(wide);
  };
  if (value instanceof Date) {
    const ms = BigInt(value.getTime());
    const { unit, utc } = column.timestamp ?? { unit: "ms", utc: false };
    const scale = unit === "ns" ? 1_000_000n : unit === "us" ? 1000n : 1n;
    const inUnit = polars.lit((ms * scale).toString()).cast(polars.Int64);
    return inUnit.cast(polars.Datetime(unit, utc ? "UTC" : undefined));
  }
  if (column.kind === "float") return polars.lit(Number(value));
  if (typeof value === "bigint") return integer(value);
  return typeof value === "number" && Number.isSafeInteger(value) ? integer(BigInt(value)) : polars.lit(value);
}

function applyFrame(
  scan: LazyDataFrame,
  frame: (scan: LazyDataFrame) => LazyDataFrame,
  split: ParquetSplit,
): LazyDataFrame {
  const made: unknown = frame(scan);
  if ((made as { readonly [Symbol.toStringTag]?: unknown } | undefined)?.[Symbol.toStringTag] === "LazyDataFrame") {
    return made as LazyDataFrame;
  }
  throw new QStreamError("OPTION_INVALID", "the function given as frame didn't return a LazyDataFrame", {
    file: split.path,
    advice: "Return the scan with operations applied, without collecting it.",
  });
}

function collect(scan: LazyDataFrame, split: ParquetSplit, withFrame: boolean): DataFrame {
  try {
    return scan.collectSync({ engine: "streaming" });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const column = /column '([^']+)'/.exec(message)?.[1] ?? /column "([^"]+)"/.exec(message)?.[1];
    const cast = message.startsWith("conversion from");
    const groups =
      split.endGroup - split.firstGroup > 1 ? `row groups ${split.firstGroup} to ${split.endGroup - 1}` : "a row group";
    throw new QStreamError("BAD_INPUT", cast ? firstLine(message) : `${groups} can't be read: ${firstLine(message)}`, {
      file: split.path,
      rowGroup: split.firstGroup,
      ...(column === undefined ? {} : { column }),
      advice: cast
        ? "Declare the column with a type that holds all its values."
        : withFrame
          ? "Check the function given as frame; without it, the file is damaged."
          : "The file is damaged: write it again.",
      cause: error,
    });
  }
}

const firstLine = (message: string): string => message.split("\n", 1)[0]?.slice(0, 300) ?? "";

function checkNulls(frame: DataFrame, fields: readonly ColumnField[] | undefined, split: ParquetSplit): void {
  for (const { name, nullable, kind } of fields ?? []) {
    if (nullable || frame.getColumn(name).nullCount() === 0) continue;
    throw new QStreamError("BAD_INPUT", `a column declared as ${kind} has missing values`, {
      file: split.path,
      rowGroup: split.firstGroup,
      column: name,
      advice: `Declare it as "${kind}?", or leave such rows out with where: [["${name}", "!=", null]].`,
    });
  }
}

function castResult(polars: PolarsLibrary, made: DataFrame, settings: ParquetSettings, split: ParquetSplit): DataFrame {
  const columns = frameColumns(made);
  // Another query costs some milliseconds, whatever it has to do.
  if (areDeclared(columns, settings.result ?? [])) {
    checkNulls(made, settings.result, split);
    return made;
  }
  const casts = (settings.result ?? []).map((field) => {
    const column = columns.find(({ name }) => name === field.name);
    if (column !== undefined) {
      return castColumn(polars, column, field, { file: split.path, exactTime: settings.form !== "objects" });
    }
    throw new QStreamError("BAD_INPUT", `frame gives no column "${field.name}", which result declares`, {
      file: split.path,
      column: field.name,
      advice: `Its columns are ${columns.map(({ name, type }) => `${name} (${type})`).join(", ")}.`,
    });
  });
  const frame = collect(made.lazy().select(...casts), split, true);
  checkNulls(frame, settings.result, split);
  return frame;
}
