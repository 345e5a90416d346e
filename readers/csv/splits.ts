import type { SplitRequest } from "../../lib/core/contracts/reader.ts";
import type { FileEntry } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Columns, ColumnType } from "../../lib/core/schema.ts";
import { decodeText } from "../text/decode.ts";
import { openText } from "../text/source.ts";
import {
  cutAt,
  isGzip,
  rangeSplits,
  splitSize,
  wholeFile,
  type GzipOption,
  type SplitOptions,
  type TextSplit,
} from "../text/splits.ts";
import { headerNames } from "./header.ts";
import { inferType } from "./infer.ts";
import { recordBlocks, recordCuts } from "./record-blocks.ts";
import { RecordParser } from "./record-parser.ts";
import type { CsvSettings, CsvSplit } from "./settings.ts";

const rowsLookedAt = 1000;

/**
 * The splits of CSV files. Files that are larger than a split are cut where records start, which takes a scan for quotes;
 * files that aren't on this machine aren't scanned, and so aren't cut, unless `quotedNewlines` is false.
 */
export async function csvSplits(
  paths: string | readonly string[],
  settings: CsvSettings,
  options: SplitOptions,
  request: SplitRequest,
): Promise<CsvSplit[]> {
  const splits = settings.dialect.quotedNewlines
    ? await recordSplits(paths, settings, options, request)
    : await rangeSplits(paths, options, request);
  if (settings.schema !== undefined) return splits;
  const first = splits.find((split) => split.bytes > 0);
  if (first === undefined) return splits;
  const columns = await inferColumns({ ...first, from: 0, to: first.bytes }, settings, request);
  return splits.map((split) => ({ ...split, columns }));
}

async function recordSplits(
  paths: string | readonly string[],
  settings: CsvSettings,
  options: SplitOptions,
  request: SplitRequest,
): Promise<TextSplit[]> {
  const files = await request.files.list(paths, request.signal);
  const size = splitSize(files, options.splitBytes, request.channels);
  const splits: TextSplit[] = [];
  for (const file of files) splits.push(...(await splitsOfFile(file, size, options.gzip ?? "auto", settings, request)));
  return splits;
}

async function splitsOfFile(
  file: FileEntry,
  size: number,
  gzipOption: GzipOption,
  settings: CsvSettings,
  request: SplitRequest,
): Promise<TextSplit[]> {
  const large = file.bytes > size && request.files.localPath(file.path) !== undefined;
  const gzip = await isGzip(file, gzipOption, large, request);
  if (gzip === true || !large) return [wholeFile(file, gzip)];
  return cutAt(file, await recordCuts(file, size, settings.dialect, request));
}

/** Columns of a file by its header and its first rows. */
async function inferColumns(split: TextSplit, settings: CsvSettings, request: SplitRequest): Promise<Columns> {
  const source = await openText(split, request);
  try {
    const parser = new RecordParser(settings.dialect);
    let names: string[] | undefined;
    const samples: string[][] = [];
    let rows = 0;
    for await (const block of recordBlocks(source, 0, settings.dialect, settings.recordBytesMax)) {
      if (names === undefined && settings.header) names = headerNames(block, parser, source.file);
      else parser.take(decodeText(block.bytes) ?? block.bytes.toString("utf8"));
      while (rows < rowsLookedAt && parser.next()) {
        names ??= Array.from({ length: parser.count }, (_, index) => `column${index + 1}`);
        // Rows with other faults than their types are the reading's concern.
        if (parser.problem !== undefined || parser.count !== names.length) continue;
        rows += 1;
        for (let at = 0; at < parser.count; at++) {
          const text = parser.fields[at] ?? "";
          if (text !== "" && !settings.nullValues.includes(text)) (samples[at] ??= []).push(text);
        }
      }
      if (rows >= rowsLookedAt) break;
    }
    return columnsOf(names ?? [], samples, settings, source.file);
  } finally {
    await source.close();
  }
}

function columnsOf(names: readonly string[], samples: string[][], settings: CsvSettings, file: string): Columns {
  const integers = settings.as === "objects" ? "float64" : "int64";
  const columns: Record<string, ColumnType> = {};
  for (const [index, name] of names.entries()) {
    if (name in columns) {
      throw new QStreamError("BAD_INPUT", "the header has a column twice", {
        file,
        line: 1,
        column: name,
        advice: "Correct the header, or name the columns by a schema with header: false.",
      });
    }
    columns[name] = inferType(samples[index] ?? [], integers);
  }
  return columns;
}
