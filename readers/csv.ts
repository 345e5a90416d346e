import { badRowChoices, checkChoice, representationChoices } from "./check-choice.ts";
import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import type { Representation } from "../lib/core/contracts/operator.ts";
import type { Reader, SidedReader } from "../lib/core/contracts/reader.ts";
import { schemaFields, type Columns, type Row } from "../lib/core/schema.ts";
import { dialectOf } from "./csv/dialect.ts";
import { readCsv } from "./csv/read.ts";
import type { CsvSettings, CsvSplit } from "./csv/settings.ts";
import { csvSplits } from "./csv/splits.ts";
import type { BadRow, BadRows } from "./text/bad-row.ts";
import { lineBytesMaxDefault } from "./text/line-blocks.ts";
import type { GzipOption } from "./text/splits.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

export interface CsvOptions<
  S extends Columns = Columns,
  As extends Representation = Representation,
  Bad extends BadRows = BadRows,
> {
  /** Names and types of the columns to read; other columns of the files are left out. Default: inferred from the first file. */
  readonly schema?: S;
  /** Whether the first record of each file has the names. Default true; without, the schema's columns are in the files' order. */
  readonly header?: boolean;
  /** One ASCII character. Default `,`. */
  readonly separator?: string;
  /** One ASCII character, or false where quotes are ordinary text. Default `"`. */
  readonly quote?: string | false;
  /**
   * Whether quoted fields may hold line ends. Default true. With false, large files are cut into splits without the scan for
   * quotes, and remote files are cut too.
   */
  readonly quotedNewlines?: boolean;
  /** Unquoted texts that stand for a missing value. Default: the empty text. */
  readonly nullValues?: readonly string[];
  /** What to do with a row that can't be read: fail (default), or send it to the side output `bad` and count it. */
  readonly badRows?: Bad;
  /** Bytes of a split. Default: some splits a channel, 4 to 64 MiB each. */
  readonly splitBytes?: number;
  /** Whether files are gzip: by ending or first bytes ("auto", the default), all, or none. */
  readonly gzip?: GzipOption;
  /** Bytes that a record may have. Default 16 MiB. */
  readonly recordBytesMax?: number;
  /** What the rows become: plain objects (default), or batches as Arrow tables or Polars frames. */
  readonly as?: As;
}

/** What a CSV reader reads: rows as objects, or batches. */
export type CsvObject<S extends Columns, As extends Representation> = As extends "arrow"
  ? Table
  : As extends "polars"
    ? DataFrame
    : Row<S>;

/** A reader of CSV rows; with `badRows: "side"` it has the side output `bad`. */
export type CsvReader<S extends Columns, As extends Representation, Bad extends BadRows> = Bad extends "side"
  ? SidedReader<CsvObject<S, As>, { bad: BadRow }, CsvSplit>
  : Reader<CsvObject<S, As>, CsvSplit>;

const optionNames = namesOf<CsvOptions>({
  schema: true,
  header: true,
  separator: true,
  quote: true,
  quotedNewlines: true,
  nullValues: true,
  badRows: true,
  splitBytes: true,
  gzip: true,
  recordBytesMax: true,
  as: true,
});

/**
 * Reads CSV files (RFC 4180: quoted fields, doubled quotes, line ends in quotes; `\n` or `\r\n`; UTF-8 with or without byte
 * order mark). Large local files are split where records start. Columns have the types of `schema`; without one they are
 * inferred from the first thousand rows of the first file: number, boolean, Date or string, or null.
 *
 * @param paths - files, folders, globs, `http(s)://` and `s3://` URLs, or a list of them
 * @returns a reader of row objects, Arrow tables or Polars frames
 * @throws QStreamError PATH_NOT_FOUND; BAD_INPUT with file, line, column and value; LIMIT_EXCEEDED for an endless record;
 * OPTION_INVALID
 * @example
 * const airport = schema({ iata: "string", city: "string?", id: "int64" });
 * q.read("airports", csv("airports.csv", { schema: airport })); // { iata: string; city: string | null; id: bigint }
 */
export function csv<S extends Columns = Columns, As extends Representation = "objects", Bad extends BadRows = "fail">(
  paths: string | readonly string[],
  options: CsvOptions<S, As, Bad> = {},
): CsvReader<S, As, Bad> {
  checkOptionNames("csv()", options, optionNames);
  checkChoice("badRows", options.badRows, badRowChoices);
  checkChoice("as", options.as, representationChoices);
  if (options.schema !== undefined) schemaFields(options.schema);
  const settings: CsvSettings = {
    dialect: dialectOf(options),
    schema: options.schema,
    header: options.header ?? true,
    nullValues: options.nullValues ?? [""],
    badRows: options.badRows ?? "fail",
    recordBytesMax: options.recordBytesMax ?? lineBytesMaxDefault,
    as: options.as ?? "objects",
  };
  const reader: Reader<unknown, CsvSplit> = {
    kind: "csv",
    options: { paths, ...options },
    parallelism: "per-slot",
    sizeOf: (split) => split.to - split.from,
    replicas: ({ path }) => ({ file: path }),
    splits: (request) => csvSplits(paths, settings, options, request),
    read: (split, ctx) => readCsv(split, ctx, settings),
  };
  return (settings.badRows === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as CsvReader<S, As, Bad>;
}
