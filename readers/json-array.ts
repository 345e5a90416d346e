import { badRowChoices, checkChoice } from "./check-choice.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, Reading } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { ElementScanner, type BrokenArray } from "./json/element-scanner.ts";
import type { StandardSchema } from "./json/standard-schema.ts";
import { JsonValues, type JsonSettings } from "./json/values.ts";
import type { JsonReader } from "./json-lines.ts";
import type { BadRows } from "./text/bad-row.ts";
import { byteOrderMarkBytes, decodeText } from "./text/decode.ts";
import { openText, type TextSource } from "./text/source.ts";
import { isGzip, wholeFile, type GzipOption, type TextSplit } from "./text/splits.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

export interface JsonArrayOptions<T = unknown, Bad extends BadRows = BadRows> {
  /** Checks each element, and gives the stream its type: any Standard Schema (zod, valibot, arktype). */
  readonly schema?: StandardSchema<T>;
  /** What to do with an element that isn't JSON or fails the schema: fail (default), or send it to the side output `bad`. */
  readonly badRows?: Bad;
  /** Whether files are gzip: by ending or first bytes ("auto", the default), all, or none. */
  readonly gzip?: GzipOption;
  /** Bytes that one element may have. Default 16 MiB. */
  readonly elementBytesMax?: number;
}

const elementBytesMaxDefault = 16 << 20;

const optionNames = namesOf<JsonArrayOptions>({ schema: true, badRows: true, gzip: true, elementBytesMax: true });

/**
 * Reads files that each are one JSON array, element by element: the file is never in memory as a whole. A file is read by
 * one channel.
 *
 * @param paths - files, folders, globs, `http(s)://` and `s3://` URLs, or a list of them
 * @returns a reader of the schema's type, or of `unknown` without a schema
 * @throws QStreamError PATH_NOT_FOUND; BAD_INPUT with file and line; LIMIT_EXCEEDED for an element of more than
 * `elementBytesMax`
 * @example
 * q.read("movies", jsonArray("movies.json"));
 */
export function jsonArray<T = unknown, Bad extends BadRows = "fail">(
  paths: string | readonly string[],
  options: JsonArrayOptions<T, Bad> = {},
): JsonReader<T, Bad> {
  checkOptionNames("jsonArray()", options, optionNames);
  const { schema, badRows = "fail", gzip = "auto", elementBytesMax = elementBytesMaxDefault } = options;
  checkChoice("badRows", badRows, badRowChoices);
  const reader: Reader<unknown, TextSplit> = {
    kind: "json-array",
    options: { paths, badRows, gzip, elementBytesMax, schema: schema?.["~standard"].vendor },
    parallelism: "per-slot",
    sizeOf: (split) => split.bytes,
    replicas: ({ path }) => ({ file: path }),
    async splits(request) {
      const files = await request.files.list(paths, request.signal);
      return Promise.all(files.map(async (file) => wholeFile(file, await isGzip(file, gzip, false, request))));
    },
    read: (split, ctx) => readJsonArray(split, ctx, { schema, badRows }, elementBytesMax),
  };
  return (badRows === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as JsonReader<T, Bad>;
}

async function* readJsonArray(
  split: TextSplit,
  ctx: Context,
  settings: JsonSettings,
  elementBytesMax: number,
): AsyncGenerator<Reading<unknown>, void> {
  const source = await openText(split, ctx);
  try {
    const values = new JsonValues(settings, ctx);
    for await (const element of elements(source, elementBytesMax)) {
      const text = decodeText(element.bytes);
      if (text === undefined || !values.takePlain(text)) {
        const json = {
          text: text ?? element.bytes.toString("utf8"),
          file: source.file,
          line: () => source.lineAt(element.position),
        };
        if (text === undefined) yield* values.bad(json, { reason: "an element isn't valid UTF-8" });
        else yield* values.take(json);
      }
      const gathered = values.full ? values.gathered() : undefined;
      if (gathered !== undefined) yield gathered;
    }
    const rest = values.gathered();
    if (rest !== undefined) yield rest;
  } finally {
    await source.close();
  }
}

interface Element {
  readonly bytes: Buffer;
  readonly position: number;
}

/** The elements of a file's array as bytes. What is wrong with the array itself can't be skipped, and always fails. */
async function* elements(source: TextSource, elementBytesMax: number): AsyncGenerator<Element, void> {
  const scanner = new ElementScanner();
  let position = 0;
  // Bytes of the element that was open at the end of the last block.
  let rest: Buffer[] = [];
  for await (const read of source.blocks(0)) {
    const mark = position === 0 ? byteOrderMarkBytes(read) : 0;
    const block = read.subarray(mark);
    position += mark;
    for (const { from, to } of scanner.scan(block, position)) {
      const last = block.subarray(Math.max(0, from - position), Math.max(0, to - position));
      // The element may have ended in an earlier block, with blanks after it.
      const whole = rest.length === 0 ? last : Buffer.concat([...rest, last]).subarray(0, to - from);
      rest = [];
      yield { bytes: whole, position: from };
    }
    if (scanner.broken !== undefined) throw await broken(source, scanner.broken);
    if (scanner.open !== -1) rest.push(block.subarray(Math.max(0, scanner.open - position)));
    position += block.byteLength;
    if (scanner.open !== -1 && position - scanner.open > elementBytesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `an element of the JSON array has more than ${elementBytesMax} bytes`, {
        file: source.file,
        line: await source.lineAt(scanner.open),
        advice: "Raise the reader's option elementBytesMax, or write the file as JSON lines.",
      });
    }
  }
  if (!scanner.complete && position > 0)
    throw await broken(source, { at: position, reason: "the JSON array isn't closed: the file is cut" });
}

async function broken(source: TextSource, { at, reason }: BrokenArray): Promise<QStreamError> {
  return new QStreamError("BAD_INPUT", reason, {
    file: source.file,
    line: await source.lineAt(at),
    advice: "Correct the file; a file with one JSON value a line is read by jsonLines.",
  });
}
