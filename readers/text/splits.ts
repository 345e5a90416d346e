import type { FileEntry } from "../../lib/core/contracts/file-system.ts";
import type { SplitRequest } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { hasGzipMagic } from "./gzip.ts";

/** A range of a text file. What starts in [from, to) belongs to it; a compressed file is always one split. */
export interface TextSplit {
  readonly path: string;
  /** Bytes and version of the whole file when it was listed. */
  readonly bytes: number;
  readonly version: string;
  readonly from: number;
  readonly to: number;
  /** Whether it is compressed; undefined: the first bytes tell. */
  readonly gzip?: boolean;
}

/** Whether files are compressed: by their ending `.gz` or their first bytes ("auto"), all, or none. */
export type GzipOption = "auto" | boolean;

export interface SplitOptions {
  readonly splitBytes?: number;
  readonly gzip?: GzipOption;
}

const splitBytesMin = 4 << 20;
const splitBytesMax = 64 << 20;
const splitsPerChannel = 4;
const splitsMax = 100_000;

/** Bytes a split should have: as set, or so that each channel gets some splits, of 4 to 64 MiB. */
export function splitSize(files: readonly FileEntry[], splitBytes: number | undefined, channels: number): number {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const even = Math.ceil(total / (channels * splitsPerChannel));
  const size = splitBytes ?? Math.max(splitBytesMin, Math.min(splitBytesMax, even));
  if (!(size >= 1)) {
    throw new QStreamError("OPTION_INVALID", `splitBytes is ${size}`, { advice: "Give a number of bytes from 1 up." });
  }
  return Math.max(Math.floor(size), Math.ceil(total / splitsMax));
}

/** The single split of a whole file. */
export function wholeFile(file: FileEntry, gzip?: boolean): TextSplit {
  const whole = { path: file.path, bytes: file.bytes, version: file.version, from: 0, to: file.bytes };
  return gzip === undefined ? whole : { ...whole, gzip };
}

/** Whether a file is compressed; undefined where only its first bytes tell, and nobody has to know yet. */
export async function isGzip(
  file: FileEntry,
  option: GzipOption,
  look: boolean,
  request: SplitRequest,
): Promise<boolean | undefined> {
  if (option !== "auto") return option;
  if (file.path.endsWith(".gz")) return true;
  if (!look) return undefined;
  const open = await request.files.open(file, request.signal);
  try {
    return hasGzipMagic(await open.read(0, 2));
  } finally {
    await open.close();
  }
}

/** Byte ranges of files, cut without looking at the content: their readers begin at the first line that starts there. */
export async function rangeSplits(
  paths: string | readonly string[],
  options: SplitOptions,
  request: SplitRequest,
): Promise<TextSplit[]> {
  const files = await request.files.list(paths, request.signal);
  const size = splitSize(files, options.splitBytes, request.channels);
  const splits: TextSplit[] = [];
  for (const file of files) {
    const gzip = await isGzip(file, options.gzip ?? "auto", file.bytes > size, request);
    if (gzip === true || file.bytes <= size) splits.push(wholeFile(file, gzip));
    else splits.push(...cutAt(file, evenCuts(file.bytes, size)));
  }
  return splits;
}

/** Places that cut a file into ranges of about the same size. */
function evenCuts(bytes: number, size: number): number[] {
  const count = Math.ceil(bytes / size);
  return Array.from({ length: count - 1 }, (_, index) => Math.round(((index + 1) * bytes) / count));
}

/** Splits of an uncompressed file that begin at its start and at each cut. */
export function cutAt(file: FileEntry, cuts: readonly number[]): TextSplit[] {
  return [0, ...cuts].map((from, index) => ({ ...wholeFile(file, false), from, to: cuts[index] ?? file.bytes }));
}
