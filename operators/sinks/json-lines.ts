import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { fileSink } from "./files/file-sink.ts";
import { ofFileSinks, type FileSinkOptions, type FilesWritten } from "./files/format.ts";
import { jsonText } from "./files/json-text.ts";
import { textEncoder } from "./files/text-encoder.ts";

/** Options of `writeJsonLines`. */
export type WriteJsonLinesOptions = FileSinkOptions;

/** The names of its options. */
export const writeJsonLinesOptionNames: readonly string[] = namesOf<WriteJsonLinesOptions>(ofFileSinks);

/**
 * Writes a line of JSON for each object, or for each row of Arrow tables and Polars frames, to part files in a folder. Bigints
 * are whole numbers with all digits, dates ISO 8601, Uint8Arrays base64. What JSON can't hold (NaN, functions, maps) is
 * BAD_INPUT. Transactional: files appear once the whole execution is done. A channel without objects writes no file.
 *
 * @param path - a folder, or s3://bucket/prefix
 * @param options - `ifExists`, `rowsPerFile`, `bytesPerFile` (default 1 GiB)
 * @returns the sink; its result lists the files
 * @throws QStreamError SINK_TARGET_EXISTS; BAD_INPUT naming the property
 * @example
 * writeJsonLines<Flight>("s3://bucket/flights", { rowsPerFile: 100_000 });
 */
export function writeJsonLines<T>(path: string, options: WriteJsonLinesOptions = {}): OutputSink<T, FilesWritten> {
  checkOptionNames("writeJsonLines()", options, writeJsonLinesOptionNames);
  const textOf = (objects: readonly unknown[]): string => {
    let text = "";
    for (const object of objects) text += `${jsonText(object)}\n`;
    return text;
  };
  return fileSink(path, options, {
    kind: "json-lines",
    extension: "jsonl",
    options: {},
    bytesPerFile: 2 ** 30,
    encoder: () => textEncoder(textOf),
  });
}
