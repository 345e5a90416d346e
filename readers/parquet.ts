import type { DataFrame } from "nodejs-polars";
import { loadArrow, loadBatches, loadPolars } from "../lib/core/batch/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { FileEntry, OpenFile } from "../lib/core/contracts/file-system.ts";
import { Side, run } from "../lib/core/contracts/reader.ts";
import type { Reader, Reading, SidedReader, SplitRequest } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import type { Columns } from "../lib/core/schema.ts";
import { rowMaker } from "./arrow/rows.ts";
import type { ParquetFooter } from "./parquet/footer.ts";
import { KnownFooters } from "./parquet/known-footers.ts";
import { parquetSettings } from "./parquet/options.ts";
import type {
  BadFile,
  ParquetColumns,
  ParquetForm,
  ParquetObject,
  ParquetOptions,
  ParquetSettings,
} from "./parquet/options.ts";
import { fetchRanges } from "./parquet/ranges.ts";
import { scanSplit } from "./parquet/scan.ts";
import { splitFile } from "./parquet/splits.ts";
import type { ParquetSplit } from "./parquet/splits.ts";
import { checkWhere, findColumn } from "./parquet/where.ts";

export type {
  BadFile,
  ParquetColumns,
  ParquetForm,
  ParquetObject,
  ParquetOptions,
  ParquetRow,
  ParquetValue,
} from "./parquet/options.ts";
export type { Where, WhereOperator, WhereValue } from "./parquet/where.ts";
export type { ParquetSplit } from "./parquet/splits.ts";

/** A split of a Parquet reader: rows of a file, or a file that turned out to be broken when splits were made. */
export type ParquetPart = ParquetSplit | BadFile;

/** Without `badFiles: "side"` a plain reader, with it one that has a side output `bad`. */
export type ParquetReader<T, Bad extends "error" | "side"> = Bad extends "side"
  ? SidedReader<T, { bad: BadFile }, ParquetPart>
  : Reader<T, ParquetPart>;

/**
 * Reads Parquet files: paths, folders, globs or URLs. Splits are groups of adjacent row groups. Columns, conditions and
 * `frame` go into the scan; of a remote file only the bytes that a split needs are fetched.
 *
 * @param paths - path, folder, glob or URL, or a list of them
 * @param options - which columns and rows are read, and how they are handed over
 * @returns a reader of plain rows, Arrow tables or Polars frames, by `as`
 * @throws QStreamError when read: PATH_NOT_FOUND; BAD_INPUT with file, row group and column for a broken file, a column that
 *   isn't there, or one of another type than declared
 * @example
 * q.read("late", parquet("flights/*.parquet", {
 *   columns: { origin: "string", delay: "int32?" },
 *   where: [["delay", ">", 15]],
 * }));
 * // each split grouped by Polars while it is scanned
 * q.read("partial", parquet("flights.parquet", {
 *   columns: ["origin", "delay"],
 *   frame: (scan) => scan.groupBy("origin").agg(pl.col("delay").sum()).sort("origin"),
 *   result: { origin: "string", delay: "int64" },
 * }));
 */
export function parquet<
  const Read extends ParquetColumns = readonly string[],
  Form extends ParquetForm = "objects",
  Bad extends "error" | "side" = "error",
  const Result extends Columns = never,
>(
  paths: string | readonly string[],
  options: ParquetOptions<Read, Result, Form, Bad> = {},
): ParquetReader<ParquetObject<[Result] extends [never] ? Read : Result, Form>, Bad> {
  type Object = ParquetObject<[Result] extends [never] ? Read : Result, Form>;
  const settings = parquetSettings(options);
  const footers = new KnownFooters();
  const reader: Reader<Object, ParquetPart> = {
    kind: "parquet",
    options: { paths, ...options, ...(options.frame === undefined ? {} : { frame: "function" }) },
    sizeOf: (part) => ("file" in part ? 0 : part.bytes),
    replicas: (part) => ({ file: "file" in part ? part.file : part.path }),
    splits: (request) => findSplits(paths, settings, footers, request),
    read: (part, ctx) => readPart(part, settings, footers, ctx) as AsyncIterable<Reading<Object>>,
  };
  const sided = settings.badFiles === "side" ? { ...reader, sides: { bad: "bad" } } : reader;
  return sided as ParquetReader<Object, Bad>;
}

async function findSplits(
  paths: string | readonly string[],
  settings: ParquetSettings,
  footers: KnownFooters,
  request: SplitRequest,
): Promise<ParquetPart[]> {
  const found: (BadFile | { readonly entry: FileEntry; readonly footer: ParquetFooter })[] = [];
  let rows = 0;
  for (const entry of await request.files.list(paths, request.signal)) {
    try {
      const footer = await withFile(request.files.open(entry, request.signal), (file) => footers.of(file));
      rows += footer.rows;
      found.push({ entry, footer });
    } catch (error) {
      found.push(badFile(error, settings, entry.path));
    }
  }
  // Where there is little to read, every channel still gets some; Polars shares one scan among cores by itself.
  const splitRows =
    settings.frame === undefined
      ? Math.min(settings.splitRows, Math.ceil(rows / request.channels))
      : settings.splitRows;
  return found.flatMap((file): ParquetPart[] => {
    if (!("footer" in file)) return [file];
    checkColumns(file.footer, settings, file.entry.path);
    return splitFile(file.entry, file.footer, settings, Math.max(1, splitRows));
  });
}

function checkColumns(footer: ParquetFooter, settings: ParquetSettings, file: string): void {
  for (const name of settings.names ?? []) findColumn(name, footer.columns, file);
  checkWhere(settings.where, footer, file);
}

async function* readPart(
  part: ParquetPart,
  settings: ParquetSettings,
  footers: KnownFooters,
  ctx: Context,
): AsyncGenerator<Reading<unknown>, void> {
  if ("file" in part) {
    ctx.count("bad files");
    yield new Side("bad", part);
    return;
  }
  let frame: DataFrame;
  try {
    frame = await withFile(ctx.files.open(part.path, ctx.signal), async (file) => {
      refuseReplaced(file, part);
      return decodeSplit(file, await footers.of(file), part, settings, ctx);
    });
  } catch (error) {
    const bad = badFile(error, settings, part.path);
    ctx.count("bad files");
    yield new Side("bad", bad);
    return;
  }
  yield* settings.form === "objects" ? objectsOf(frame, settings) : batchesOf(frame, settings);
}

function refuseReplaced({ entry }: OpenFile, split: ParquetSplit): void {
  if (entry.version === split.version) return;
  throw new QStreamError("BAD_INPUT", "the file was replaced while it was read", {
    file: split.path,
    advice: "Let its writer finish, and run again.",
  });
}

async function decodeSplit(
  file: OpenFile,
  footer: ParquetFooter,
  split: ParquetSplit,
  settings: ParquetSettings,
  ctx: Context,
): Promise<DataFrame> {
  const polars = loadPolars();
  const localPath = ctx.files.localPath(split.path);
  if (localPath !== undefined) return scanSplit(polars, { localPath, footer }, split, settings);
  const copy = await fetchRanges(file, footer, split, settings, ctx);
  try {
    return scanSplit(polars, { localPath: copy.path, footer }, split, settings);
  } finally {
    await copy.remove();
  }
}

const runLength = 1024;

// Converted in slices: buffers of some megabytes are handed out again by the allocator, bigger ones cost page faults.
const conversionRows = 1 << 16;

async function* objectsOf(frame: DataFrame, { batchRows }: ParquetSettings): AsyncGenerator<Reading<unknown>, void> {
  const arrow = await loadArrow();
  const sliceRows = Math.min(batchRows, conversionRows);
  for (let first = 0; first < frame.height; first += sliceRows) {
    const table = arrow.tableFromIPC(frame.slice(first, Math.min(sliceRows, frame.height - first)).writeIPCStream());
    const rows = rowMaker(table);
    for (let at = 0; at < table.numRows; at += runLength) yield run(rows(at, Math.min(at + runLength, table.numRows)));
  }
}

async function* batchesOf(
  frame: DataFrame,
  { form, batchRows }: ParquetSettings,
): AsyncGenerator<Reading<unknown>, void> {
  const batches = await loadBatches();
  for (let first = 0; first < frame.height; first += batchRows) {
    const batch = frame.height <= batchRows ? frame : frame.slice(first, Math.min(batchRows, frame.height - first));
    yield form === "arrow" ? batches.toArrow(batch) : batch;
  }
}

async function withFile<T>(opening: Promise<OpenFile>, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await opening;
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** What goes to the side output for an error; throws it where the user didn't ask for that, or it isn't the file's fault. */
function badFile(error: unknown, settings: ParquetSettings, file: string): BadFile {
  const ofFile = error instanceof QStreamError && error.code === "BAD_INPUT";
  if (settings.badFiles !== "side" || !ofFile) throw error;
  const { rowGroup } = error.place;
  return { file, reason: error.message, ...(rowGroup === undefined ? {} : { rowGroup }) };
}
