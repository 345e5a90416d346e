import { badRowChoices, checkChoice } from "./check-choice.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, Reading, SidedReader } from "../lib/core/contracts/reader.ts";
import type { BadRow, BadRows } from "./text/bad-row.ts";
import { lineBytesMaxDefault } from "./text/line-blocks.ts";
import { readLines } from "./text/read-lines.ts";
import { openText } from "./text/source.ts";
import { rangeSplits, type GzipOption, type TextSplit } from "./text/splits.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

export interface LinesOptions<Bad extends BadRows = BadRows> {
  /** Bytes of a split, so that one big file is read by many channels. Default: some splits a channel, 4 to 64 MiB each. */
  readonly splitBytes?: number;
  /** Whether files are gzip: by ending or first bytes ("auto", the default), all, or none. */
  readonly gzip?: GzipOption;
  /** What to do with a line that is no UTF-8: fail (default), or send it to the side output `bad`. */
  readonly badLines?: Bad;
  /** Bytes that a line may have. Default 16 MiB. */
  readonly lineBytesMax?: number;
}

/** A reader of lines; with `badLines: "side"` it has the side output `bad`. */
export type LinesReader<Bad extends BadRows> = Bad extends "side"
  ? SidedReader<string, { bad: BadRow }, TextSplit>
  : Reader<string, TextSplit>;

const optionNames = namesOf<LinesOptions>({ splitBytes: true, gzip: true, badLines: true, lineBytesMax: true });

/**
 * Reads text files line by line: UTF-8, line ends `\n` or `\r\n`, which aren't part of the lines. Large files are split by
 * byte ranges; gzip files are read whole, each by one channel.
 *
 * @param paths - files, folders, globs, `http(s)://` and `s3://` URLs, or a list of them
 * @returns a reader of strings
 * @throws QStreamError PATH_NOT_FOUND; BAD_INPUT with file and line for invalid UTF-8 or broken gzip; LIMIT_EXCEEDED for a
 * line longer than `lineBytesMax`
 * @example
 * q.read("lines", lines("books/*.txt"));
 */
export function lines<Bad extends BadRows = "fail">(
  paths: string | readonly string[],
  options: LinesOptions<Bad> = {},
): LinesReader<Bad> {
  checkOptionNames("lines()", options, optionNames);
  const { badLines, lineBytesMax = lineBytesMaxDefault } = options;
  checkChoice("badLines", badLines, badRowChoices);
  const reader: Reader<string, TextSplit> = {
    kind: "lines",
    options: { paths, ...options },
    parallelism: "per-slot",
    sizeOf: (split) => split.to - split.from,
    replicas: ({ path }) => ({ file: path }),
    splits: (request) => rangeSplits(paths, options, request),
    read: (split, ctx) => readSplit(split, ctx, badLines ?? "fail", lineBytesMax),
  };
  return (badLines === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as LinesReader<Bad>;
}

async function* readSplit(
  split: TextSplit,
  ctx: Context,
  badLines: BadRows,
  lineBytesMax: number,
): AsyncGenerator<Reading<string>, void> {
  const source = await openText(split, ctx);
  try {
    yield* readLines(source, ctx, { from: split.from, badLines, lineBytesMax });
  } finally {
    await source.close();
  }
}
