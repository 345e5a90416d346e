import type { Table } from "apache-arrow";
import type { BatchSupport } from "../../lib/core/batch/index.ts";
import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { batchEncoder } from "./files/batch-encoder.ts";
import { fileSink } from "./files/file-sink.ts";
import { ofFileSinks, type FileSinkOptions, type FilesWritten } from "./files/format.ts";

/** Options of `writeArrow`. */
export interface WriteArrowOptions extends FileSinkOptions {
  /** The IPC format: `file` (can be read at any place, ends in `.arrow`) or `stream` (`.arrows`). Default `file`. */
  readonly format?: "file" | "stream";
}

/** The names of its options. */
export const writeArrowOptionNames: readonly string[] = namesOf<WriteArrowOptions>({ ...ofFileSinks, format: true });

/**
 * Writes Arrow tables, Polars frames or plain objects as Arrow IPC to part files in a folder. A file's rows are kept in memory
 * until it is full; the types of objects' columns are inferred from a file's rows. Transactional: files appear once the whole
 * execution is done. A channel without rows writes no file.
 *
 * @param path - a folder, or s3://bucket/prefix
 * @param options - `format`, `ifExists`, `rowsPerFile`, `bytesPerFile` (default 64 MiB, counted in memory)
 * @returns the sink; its result lists the files
 * @throws QStreamError SINK_TARGET_EXISTS, BAD_INPUT, MIXED_REPRESENTATION
 * @example
 * writeArrow<Table>("out/flights", { format: "stream" });
 */
export function writeArrow<T>(path: string, options: WriteArrowOptions = {}): OutputSink<T, FilesWritten> {
  checkOptionNames("writeArrow()", options, writeArrowOptionNames);
  const { format = "file" } = options;
  return fileSink(path, options, {
    kind: "arrow",
    extension: format === "file" ? "arrow" : "arrows",
    options: { format },
    bytesPerFile: 64 << 20,
    encoder: () =>
      batchEncoder("arrow", async function* (batch, batches) {
        const { tableToIPC } = await import("apache-arrow");
        yield tableToIPC(oneDictionary(batches.toArrow(batch), batches), format);
      }),
  });
}

/** Batches of several origins may have dictionaries of their own; the file format takes one for each column. */
function oneDictionary(table: Table, batches: BatchSupport): Table {
  const dictionaries = table.schema.fields.some((field) => String(field.type).startsWith("Dictionary"));
  if (!dictionaries || table.batches.length < 2) return table;
  const [gathered] = batches.gather(table, new Uint16Array(table.numRows), 1);
  return (gathered as Table | undefined) ?? table;
}
