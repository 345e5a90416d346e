import type { DataFrame } from "nodejs-polars";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { OutputSink } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { batchEncoder } from "./files/batch-encoder.ts";
import { fileSink } from "./files/file-sink.ts";
import { ofFileSinks, type FileSinkOptions, type FilesWritten } from "./files/format.ts";

/** How Parquet pages are compressed. */
export type ParquetCompression = "uncompressed" | "snappy" | "gzip" | "brotli" | "zstd";

/** Options of `writeParquet`. */
export interface WriteParquetOptions extends FileSinkOptions {
  /** Default `snappy`. */
  readonly compression?: ParquetCompression;
  /** Rows of a row group, the unit in which a file is read by several channels. Default 262,144. */
  readonly rowGroupRows?: number;
}

/** The names of its options. */
export const writeParquetOptionNames: readonly string[] = namesOf<WriteParquetOptions>({
  ...ofFileSinks,
  compression: true,
  rowGroupRows: true,
});

/**
 * Writes Arrow tables, Polars frames or plain objects as Parquet to part files in a folder, by Polars. A file's rows are kept
 * in memory until it is full; the types of objects' columns are inferred from a file's rows. Transactional: files appear once
 * the whole execution is done. A channel without rows writes no file.
 *
 * @param path - a folder, or s3://bucket/prefix
 * @param options - `compression`, `rowGroupRows`, `ifExists`, `rowsPerFile`, `bytesPerFile` (default 128 MiB, counted in memory)
 * @returns the sink; its result lists the files
 * @throws QStreamError OPTION_INVALID, SINK_TARGET_EXISTS, BAD_INPUT, MIXED_REPRESENTATION
 * @example
 * writeParquet<Flight>("s3://bucket/flights", { rowsPerFile: 1_000_000, rowGroupRows: 100_000 });
 */
export function writeParquet<T>(path: string, options: WriteParquetOptions = {}): OutputSink<T, FilesWritten> {
  checkOptionNames("writeParquet()", options, writeParquetOptionNames);
  const { compression = "snappy", rowGroupRows } = options;
  if (rowGroupRows !== undefined && !(Number.isInteger(rowGroupRows) && rowGroupRows >= 1)) {
    throw new QStreamError("OPTION_INVALID", "parquet: rowGroupRows must be a whole number from 1", { file: path });
  }
  return fileSink(path, options, {
    kind: "parquet",
    extension: "parquet",
    options: { compression, rowGroupRows },
    bytesPerFile: 128 << 20,
    encoder: (ctx) =>
      batchEncoder("parquet", async function* (batch, batches) {
        const frame = batches.toPolars(batch);
        if (rowGroupRows === undefined) yield frame.writeParquet({ compression });
        else yield* throughDisk(frame, { compression, rowGroupRows }, ctx);
      }),
  });
}

const readBytes = 4 << 20;

/** Only Polars' writer to a path takes the size of row groups: the file is made on the channel's disk, and copied. */
async function* throughDisk(
  frame: DataFrame,
  { compression, rowGroupRows }: { readonly compression: string; readonly rowGroupRows: number },
  ctx: Context,
): AsyncGenerator<Uint8Array, void> {
  const path = await ctx.spill.path(`part-${ctx.seq}.parquet`);
  if (path === undefined) {
    throw new QStreamError(
      "UNSUPPORTED",
      "parquet: the size of row groups can be set only where there is a real disk",
      {
        step: ctx.step,
        advice: "Leave out rowGroupRows.",
      },
    );
  }
  const sinkOptions = { syncOnClose: "none", maintainOrder: true, mkdir: false };
  const query = frame
    .lazy()
    .sinkParquet(path, { compression, rowGroupSize: rowGroupRows, sinkOptions, maintainOrder: true } as never);
  await query.collect();
  const file = await ctx.files.open(path);
  try {
    for (let at = 0; at < file.entry.bytes; at += readBytes) yield await file.read(at, readBytes);
  } finally {
    await file.close();
    await ctx.files.remove([path]);
  }
}
