import { badRowChoices, checkChoice } from "./check-choice.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import { run, type Reader, type Reading, type Run, type Side, type SidedReader } from "../lib/core/contracts/reader.ts";
import { reportBadRow, type BadRow, type BadRows } from "./text/bad-row.ts";
import { byteOrderMarkBytes, decodeText } from "./text/decode.ts";
import { lineBlocks, lineBytesMaxDefault, singleLines, type LineBlock } from "./text/line-blocks.ts";
import { openText, type TextSource } from "./text/source.ts";
import { rangeSplits, type GzipOption, type TextSplit } from "./text/splits.ts";

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
  const { badLines, lineBytesMax = lineBytesMaxDefault } = options;
  checkChoice("badLines", badLines, badRowChoices);
  const reader: Reader<string, TextSplit> = {
    kind: "lines",
    options: { paths, ...options },
    parallelism: "per-slot",
    sizeOf: (split) => split.to - split.from,
    splits: (request) => rangeSplits(paths, options, request),
    read: (split, ctx) => readLines(split, ctx, badLines ?? "fail", lineBytesMax),
  };
  return (badLines === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as LinesReader<Bad>;
}

const runLines = 1000;
const pieceBytesMin = 2 << 10;
const pieceBytesMax = 256 << 10;

async function* readLines(
  split: TextSplit,
  ctx: Context,
  badLines: BadRows,
  lineBytesMax: number,
): AsyncGenerator<Reading<string>, void> {
  const source = await openText(split, ctx);
  try {
    // Lines are slices of the text they were decoded with, and keep it alive: so a run is decoded at a time, not a block.
    let lineBytes = 64;
    for await (const block of lineBlocks(source, split.from, lineBytesMax)) {
      let start = block.position === 0 ? byteOrderMarkBytes(block.bytes) : 0;
      const hasReturns = block.bytes.includes(13);
      while (start < block.bytes.byteLength) {
        const pieceBytes = Math.max(pieceBytesMin, Math.min(pieceBytesMax, Math.floor(lineBytes * runLines)));
        const found = block.bytes.indexOf(10, Math.min(block.bytes.byteLength - 1, start + pieceBytes));
        const end = found === -1 ? block.bytes.byteLength : found + 1;
        const piece = block.bytes.subarray(start, end);
        const text = decodeText(piece);
        if (text === undefined) {
          yield* linesOneByOne({ bytes: piece, position: block.position + start }, source, ctx, badLines);
        } else {
          const objects = splitLines(text, hasReturns);
          lineBytes = piece.byteLength / objects.length;
          yield run(objects);
        }
        start = end;
      }
    }
  } finally {
    await source.close();
  }
}

function splitLines(text: string, hasReturns: boolean): string[] {
  const objects = text.split("\n");
  // After the last line end comes no line.
  const open = objects.pop();
  if (open !== undefined && open !== "") objects.push(open);
  if (hasReturns) {
    for (let at = 0; at < objects.length; at++) {
      const line = objects[at];
      if (line !== undefined && line.charCodeAt(line.length - 1) === 13 && (at < objects.length - 1 || open === "")) {
        objects[at] = line.slice(0, -1);
      }
    }
  }
  return objects;
}

async function* linesOneByOne(
  block: LineBlock,
  source: TextSource,
  ctx: Context,
  badLines: BadRows,
): AsyncGenerator<Run<string> | Side<BadRow>, void> {
  let objects: string[] = [];
  for (const line of singleLines(block)) {
    const text = decodeText(line.bytes);
    if (text !== undefined) {
      objects.push(text);
      continue;
    }
    if (objects.length > 0) yield run(objects);
    objects = [];
    yield reportBadRow(badLines, ctx, {
      file: source.file,
      line: await source.lineAt(line.position),
      reason: "a line isn't valid UTF-8",
      text: line.bytes.toString("utf8"),
    });
  }
  if (objects.length > 0) yield run(objects);
}
