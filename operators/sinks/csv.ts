import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { csvRows } from "./files/csv-rows.ts";
import { fileSink } from "./files/file-sink.ts";
import { ofFileSinks, type FileSinkOptions, type FilesWritten } from "./files/format.ts";
import { textEncoder } from "./files/text-encoder.ts";

/** What to do with text that a spreadsheet would run as a formula: text that starts with = + - @, a tab or a return. */
export type Formulas = "keep" | "escape" | "refuse";

/** Options of `writeCsv`. */
export interface WriteCsvOptions extends FileSinkOptions {
  /** Columns and their order. Default: those of the first object or batch of a file; others are then BAD_INPUT. */
  readonly columns?: readonly string[];
  /** One character between values. Default `,`. */
  readonly separator?: string;
  /** Whether each file starts with the columns' names. Default true. */
  readonly header?: boolean;
  /** `escape` puts an apostrophe before such text, `refuse` is BAD_INPUT. Default `keep`. */
  readonly formulas?: Formulas;
  /** Text for missing values. Default none; an empty string is then written as `""`. */
  readonly missing?: string;
}

/** The names of its options. */
export const writeCsvOptionNames: readonly string[] = namesOf<WriteCsvOptions>({
  ...ofFileSinks,
  columns: true,
  separator: true,
  header: true,
  formulas: true,
  missing: true,
});

/**
 * Writes objects, Arrow tables or Polars frames as CSV (RFC 4180, UTF-8, lines end in a line feed) to part files in a folder.
 * Dates are ISO 8601, bigints digits, arrays and plain objects JSON. Transactional: files appear once the whole execution is
 * done. A channel without rows writes no file.
 *
 * @param path - a folder, or s3://bucket/prefix
 * @param options - `columns`, `separator`, `header`, `formulas`, `missing`, `ifExists`, `rowsPerFile`, `bytesPerFile` (default 1 GiB)
 * @returns the sink; its result lists the files
 * @throws QStreamError OPTION_INVALID, SINK_TARGET_EXISTS; BAD_INPUT naming the column
 * @example
 * writeCsv<Airport>("out/airports", { columns: ["iata", "city"], formulas: "escape" });
 */
export function writeCsv<T>(path: string, options: WriteCsvOptions = {}): OutputSink<T, FilesWritten> {
  checkOptionNames("writeCsv()", options, writeCsvOptionNames);
  const { columns, separator = ",", header = true, formulas = "keep", missing = "" } = options;
  const format = { columns, separator, header, formulas, missing };
  csvRows(format);
  return fileSink(path, options, {
    kind: "csv",
    extension: "csv",
    options: format,
    bytesPerFile: 2 ** 30,
    encoder: (_ctx, begun) => {
      const { textOf, columns } = csvRows(format, begun as readonly string[] | undefined);
      return textEncoder(textOf, columns);
    },
  });
}
