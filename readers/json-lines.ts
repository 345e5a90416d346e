import { badRowChoices, checkChoice } from "./check-choice.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, Reading, SidedReader } from "../lib/core/contracts/reader.ts";
import type { StandardSchema } from "./json/standard-schema.ts";
import { JsonValues, type JsonSettings } from "./json/values.ts";
import type { BadRow, BadRows } from "./text/bad-row.ts";
import { byteOrderMarkBytes, countLines, decodeText } from "./text/decode.ts";
import { lineBlocks, lineBytesMaxDefault, singleLines, type LineBlock } from "./text/line-blocks.ts";
import { openText, type TextSource } from "./text/source.ts";
import { rangeSplits, type GzipOption, type TextSplit } from "./text/splits.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

export interface JsonLinesOptions<T = unknown, Bad extends BadRows = BadRows> {
  /** Checks each value, and gives the stream its type: any Standard Schema (zod, valibot, arktype). */
  readonly schema?: StandardSchema<T>;
  /** What to do with a line that isn't JSON or fails the schema: fail (default), or send it to the side output `bad`. */
  readonly badRows?: Bad;
  /** Bytes of a split. Default: some splits a channel, 4 to 64 MiB each. */
  readonly splitBytes?: number;
  /** Whether files are gzip: by ending or first bytes ("auto", the default), all, or none. */
  readonly gzip?: GzipOption;
  /** Bytes that a line may have. Default 16 MiB. */
  readonly lineBytesMax?: number;
}

/** A reader of JSON values; with `badRows: "side"` it has the side output `bad`. */
export type JsonReader<T, Bad extends BadRows> = Bad extends "side"
  ? SidedReader<T, { bad: BadRow }, TextSplit>
  : Reader<T, TextSplit>;

const optionNames = namesOf<JsonLinesOptions>({
  schema: true,
  badRows: true,
  splitBytes: true,
  gzip: true,
  lineBytesMax: true,
});

/**
 * Reads files with a JSON value on each line (NDJSON). Blank lines are no values. Large files are split by byte ranges.
 *
 * @param paths - files, folders, globs, `http(s)://` and `s3://` URLs, or a list of them
 * @returns a reader of the schema's type, or of `unknown` without a schema
 * @throws QStreamError PATH_NOT_FOUND; BAD_INPUT with file and line; LIMIT_EXCEEDED for a line longer than `lineBytesMax`
 * @example
 * q.read("events", jsonLines("events/*.jsonl", { schema: z.object({ id: z.number() }) }));
 */
export function jsonLines<T = unknown, Bad extends BadRows = "fail">(
  paths: string | readonly string[],
  options: JsonLinesOptions<T, Bad> = {},
): JsonReader<T, Bad> {
  checkOptionNames("jsonLines()", options, optionNames);
  const { schema, badRows = "fail", lineBytesMax = lineBytesMaxDefault, ...plain } = options;
  checkChoice("badRows", badRows, badRowChoices);
  const reader: Reader<unknown, TextSplit> = {
    kind: "json-lines",
    options: { paths, badRows, lineBytesMax, ...plain, schema: schema?.["~standard"].vendor },
    parallelism: "per-slot",
    sizeOf: (split) => split.to - split.from,
    replicas: ({ path }) => ({ file: path }),
    splits: (request) => rangeSplits(paths, options, request),
    read: (split, ctx) => readJsonLines(split, ctx, { schema, badRows }, lineBytesMax),
  };
  return (badRows === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as JsonReader<T, Bad>;
}

async function* readJsonLines(
  split: TextSplit,
  ctx: Context,
  settings: JsonSettings,
  lineBytesMax: number,
): AsyncGenerator<Reading<unknown>, void> {
  const source = await openText(split, ctx);
  try {
    const values = new JsonValues(settings, ctx);
    for await (const block of lineBlocks(source, split.from, lineBytesMax)) {
      const mark = block.position === 0 ? byteOrderMarkBytes(block.bytes) : 0;
      const bytes = block.bytes.subarray(mark);
      const text = decodeText(bytes);
      if (text === undefined) yield* invalidBlock({ bytes, position: block.position + mark }, source, values);
      else yield* textLines(text, block.position, source, values);
    }
    const rest = values.gathered();
    if (rest !== undefined) yield rest;
  } finally {
    await source.close();
  }
}

const isBlank = (text: string): boolean => text.length < 64 && text.trim() === "";

async function* textLines(
  text: string,
  position: number,
  source: TextSource,
  values: JsonValues,
): AsyncGenerator<Reading<unknown>, void> {
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf("\n", start);
    const end = found === -1 ? text.length : found;
    const line = text.slice(start, end);
    const at = start;
    start = end + 1;
    if (isBlank(line)) continue;
    if (!values.takePlain(line)) {
      const lineNumber = async (): Promise<number> => (await source.lineAt(position)) + countLines(text, 0, at);
      yield* values.take({ text: line.replace(/\r$/u, ""), file: source.file, line: lineNumber });
    }
    const gathered = values.full ? values.gathered() : undefined;
    if (gathered !== undefined) yield gathered;
  }
}

/** A block with bytes that are no UTF-8: the lines that have them are bad, the others are read. */
async function* invalidBlock(
  block: LineBlock,
  source: TextSource,
  values: JsonValues,
): AsyncGenerator<Reading<unknown>, void> {
  for (const line of singleLines(block)) {
    const text = decodeText(line.bytes);
    if (text !== undefined) yield* textLines(text, line.position, source, values);
    else {
      const place = { file: source.file, line: () => source.lineAt(line.position) };
      yield* values.bad({ text: line.bytes.toString("utf8"), ...place }, { reason: "a line isn't valid UTF-8" });
    }
  }
}
