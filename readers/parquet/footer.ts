import type { ColumnChunk, FileMetaData, RowGroup } from "hyparquet";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { columnsOf } from "./columns.ts";
import type { ParquetColumn } from "./columns.ts";

/** Bytes of a file from `start` up to but without `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a row group's statistics say of one column. Values are as hyparquet decodes them; absent ones are unknown. */
export interface ColumnStatistics {
  readonly min?: unknown;
  readonly max?: unknown;
  readonly nulls?: number;
}

/** One column's bytes in one row group. */
export interface ParquetChunk extends ByteRange {
  /** The top-level column it belongs to. */
  readonly column: string;
  /** True if its values are written as codes of a dictionary with few entries. */
  readonly fewValues: boolean;
  readonly statistics: ColumnStatistics;
}

export interface ParquetRowGroup {
  /** Place of its first row in the file. */
  readonly firstRow: number;
  readonly rows: number;
  readonly chunks: readonly ParquetChunk[];
}

/** The structure of a Parquet file: its footer, checked against the length of the file. */
export interface ParquetFooter extends ByteRange {
  readonly rows: number;
  readonly columns: readonly ParquetColumn[];
  readonly rowGroups: readonly ParquetRowGroup[];
}

const magic = 0x31524150; // "PAR1"
const tailBytes = 64 << 10;
const footerBytesMax = 256 << 20;

/**
 * Reads and checks the footer of a Parquet file. Every byte range that it names lies in the file when this returns, and row
 * counts add up, so that a decoder isn't led outside.
 *
 * @throws QStreamError BAD_INPUT with file and row group
 */
export async function readFooter(file: OpenFile): Promise<ParquetFooter> {
  const { path, bytes } = file.entry;
  if (bytes < 12) throw broken(path, `it has ${bytes} bytes, too few for a Parquet file`);
  const tail = await file.read(Math.max(0, bytes - tailBytes), Math.min(bytes, tailBytes));
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  if (tail.byteLength < Math.min(bytes, tailBytes)) throw broken(path, "it became shorter while it was read");
  if (view.getUint32(tail.byteLength - 4, true) !== magic) {
    throw broken(path, "it doesn't end with PAR1: it was cut short, or isn't a Parquet file");
  }
  const length = view.getUint32(tail.byteLength - 8, true);
  if (length > bytes - 12) throw broken(path, `its footer of ${length} bytes doesn't fit into ${bytes} bytes`);
  if (length > footerBytesMax)
    throw broken(path, `its footer of ${length} bytes is above the limit of ${footerBytesMax}`);
  const start = bytes - 8 - length;
  const footer = length + 8 <= tail.byteLength ? tail.subarray(-(length + 8)) : await file.read(start, length + 8);
  return checkFooter(await parseFooter(footer, path), path, { start, end: bytes });
}

async function parseFooter(bytes: Uint8Array, path: string): Promise<FileMetaData> {
  const { parquetMetadata } = await import("hyparquet");
  try {
    return parquetMetadata(bytes, { geoparquet: false });
  } catch (error) {
    throw broken(path, "its footer can't be read", { cause: error });
  }
}

function checkFooter(metadata: FileMetaData, path: string, { start, end }: ByteRange): ParquetFooter {
  const columns = columnsOf(metadata.schema);
  if (columns === undefined) throw broken(path, "the schema in its footer isn't a tree");
  const leaves = columns.reduce((sum, column) => sum + column.leaves, 0);
  let rows = 0;
  const rowGroups = metadata.row_groups.map((group, index) => {
    const count = Number(group.num_rows);
    if (!Number.isSafeInteger(count) || count < 0) throw broken(path, `it claims ${count} rows`, { rowGroup: index });
    if (group.columns.length !== leaves) {
      throw broken(path, `it has ${group.columns.length} columns where the schema has ${leaves}`, { rowGroup: index });
    }
    const firstRow = rows;
    rows += count;
    return { firstRow, rows: count, chunks: checkChunks(group, index, path, start) };
  });
  if (BigInt(rows) !== metadata.num_rows) {
    throw broken(path, `its row groups have ${rows} rows, its footer says ${metadata.num_rows}`);
  }
  const names = new Set(columns.map(({ name }) => name));
  for (const [index, group] of rowGroups.entries()) {
    const stranger = group.chunks.find(({ column }) => !names.has(column));
    if (stranger === undefined) continue;
    throw broken(path, "the schema doesn't have this column", { rowGroup: index, column: stranger.column });
  }
  return { start, end, rows, columns, rowGroups };
}

function checkChunks(group: RowGroup, rowGroup: number, path: string, dataEnd: number): ParquetChunk[] {
  return group.columns.map((chunk) => {
    const described = chunk.meta_data;
    const column = described?.path_in_schema[0];
    if (described === undefined || column === undefined) {
      throw broken(path, "a column's bytes aren't described", { rowGroup });
    }
    if (chunk.file_path !== undefined && chunk.file_path !== "") {
      throw broken(path, "its bytes are in another file, which isn't supported", { rowGroup, column });
    }
    const range = rangeOf(described);
    if (!(range.start >= 4 && range.end >= range.start && range.end <= dataEnd)) {
      throw broken(path, `its bytes ${range.start} to ${range.end} aren't in the file's data`, { rowGroup, column });
    }
    // Nested columns have several values a row; a flat one has exactly one.
    const flat = described.path_in_schema.length === 1;
    if (flat && described.num_values !== group.num_rows) {
      throw broken(path, `it has ${described.num_values} values for ${group.num_rows} rows`, { rowGroup, column });
    }
    return { ...range, column, fewValues: hasFewValues(described), statistics: flat ? statisticsOf(described) : {} };
  });
}

type ChunkMetadata = NonNullable<ColumnChunk["meta_data"]>;

function rangeOf(chunk: ChunkMetadata): ByteRange {
  const dictionary = chunk.dictionary_page_offset;
  const data = chunk.data_page_offset;
  // Some writers leave a dictionary offset of 0 where there is no dictionary.
  const start = Number(dictionary !== undefined && dictionary > 0n && dictionary < data ? dictionary : data);
  return { start, end: start + Number(chunk.total_compressed_size) };
}

// Codes of a dictionary with up to a few ten thousand entries take at most two bytes; written in full, a string takes
// four bytes for its length alone.
function hasFewValues({ encodings, num_values, total_uncompressed_size }: ChunkMetadata): boolean {
  const coded = encodings.some((encoding) => encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY");
  return coded && Number(total_uncompressed_size) < 3 * Number(num_values);
}

// The older `min` and `max` fields were written with a wrong order for strings: only their successors are believed.
function statisticsOf({ statistics }: ChunkMetadata): ColumnStatistics {
  return {
    ...(statistics?.min_value === undefined ? {} : { min: statistics.min_value }),
    ...(statistics?.max_value === undefined ? {} : { max: statistics.max_value }),
    ...(statistics?.null_count === undefined ? {} : { nulls: Number(statistics.null_count) }),
  };
}

function broken(
  file: string,
  what: string,
  place: { readonly rowGroup?: number; readonly column?: string; readonly cause?: unknown } = {},
): QStreamError {
  return new QStreamError("BAD_INPUT", `the Parquet file is broken: ${what}`, {
    file,
    ...place,
    advice: 'Write the file again, or skip such files with badFiles: "side".',
  });
}
