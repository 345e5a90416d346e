import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { fileSink } from "./files/file-sink.ts";
import { ofFileSinks, type FileSinkOptions, type FilesWritten } from "./files/format.ts";
import { textEncoder } from "./files/text-encoder.ts";

/** Options of `writeLines`. */
export interface WriteLinesOptions<T> extends FileSinkOptions {
  /** Makes the line of an object. Default: strings as they are; numbers, bigints and booleans as text. */
  readonly line?: (object: T) => string;
}

/** The names of its options. */
export const writeLinesOptionNames: readonly string[] = namesOf<WriteLinesOptions<unknown>>({
  ...ofFileSinks,
  line: true,
});

/**
 * Writes a line of text for each object, UTF-8 and ended by a line feed, to part files in a folder. Transactional: files
 * appear once the whole execution is done. A channel without objects writes no file.
 *
 * @param path - a folder, or s3://bucket/prefix
 * @param options - `line`, `ifExists`, `rowsPerFile`, `bytesPerFile` (default 1 GiB)
 * @returns the sink; its result lists the files
 * @throws QStreamError SINK_TARGET_EXISTS; BAD_INPUT for a line with a line break in it, or an object that isn't text
 * @example
 * writeLines<Count>("out/words", { line: (count) => `${count.key}\t${count.value}` });
 */
export function writeLines<T = string>(path: string, options: WriteLinesOptions<T> = {}): OutputSink<T, FilesWritten> {
  checkOptionNames("writeLines()", options, writeLinesOptionNames);
  const lineOf = (options.line ?? plainText) as (object: unknown) => string;
  const line = (object: unknown): string => {
    const text = lineOf(object);
    if (typeof text === "string" && !text.includes("\n") && !text.includes("\r")) return `${text}\n`;
    throw new QStreamError(
      "BAD_INPUT",
      typeof text === "string" ? "a line has a line break in it" : "a line isn't a string",
      {
        advice: "Set the option line to make one line of text of each object.",
      },
    );
  };
  const textOf = (objects: readonly unknown[]): string => objects.map((object) => line(object)).join("");
  return fileSink(path, options, {
    kind: "lines",
    extension: "txt",
    options: { line: options.line === undefined ? undefined : "function" },
    bytesPerFile: 2 ** 30,
    encoder: () => textEncoder(textOf),
  });
}

function plainText(object: unknown): string {
  if (typeof object === "string") return object;
  if (typeof object === "number" || typeof object === "bigint" || typeof object === "boolean") return String(object);
  throw new QStreamError("BAD_INPUT", `a ${object === null ? "null" : typeof object} isn't a line of text`, {
    advice: "Set the option line to make one line of text of each object.",
  });
}
