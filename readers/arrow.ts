import { checkChoice, representationChoices } from "./check-choice.ts";
import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { loadArrow, loadBatches, loadPolars, verifyIpc } from "../lib/core/batch/index.ts";
import type { BatchSupport, VerifiedIpc } from "../lib/core/batch/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import type { FileEntry, OpenFile } from "../lib/core/contracts/file-system.ts";
import { run } from "../lib/core/contracts/reader.ts";
import type { Reader, Reading, SplitRequest } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { partOfFile, readArrowFooter } from "./arrow/footer.ts";
import type { ArrowBlock } from "./arrow/footer.ts";
import { rowMaker } from "./arrow/rows.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** How `arrowIpc` hands over rows. */
export type ArrowForm = "objects" | "arrow" | "polars";

/**
 * What the stream of `arrowIpc` holds, by `as`. In plain objects 64-bit integers are bigint, timestamps and dates `Date`,
 * decimals text, lists arrays, structs objects.
 */
export type ArrowObject<Form extends ArrowForm> = Form extends "arrow"
  ? Table
  : Form extends "polars"
    ? DataFrame
    : Record<string, unknown>;

/** Options of `arrowIpc`. */
export interface ArrowIpcOptions<Form extends ArrowForm = ArrowForm> {
  /** Hands over batches as Arrow tables (default) or Polars frames, or rows as plain objects. */
  readonly as?: Form;
  /** Rows of a batch handed over, at most. Default 65,536. */
  readonly batchRows?: number;
}

/** Adjacent record batches of an Arrow file, or a whole Arrow stream (`endBatch` absent). */
export interface ArrowSplit {
  readonly path: string;
  readonly version: string;
  readonly firstBatch: number;
  readonly endBatch?: number;
  readonly bytes: number;
}

const splitBytesTarget = 8 << 20;
const splitBytesMax = 2 ** 30;
const runLength = 1024;
const defaultBatchRows = 1 << 16;

const optionNames = namesOf<ArrowIpcOptions>({ as: true, batchRows: true });

/**
 * Reads Arrow IPC files (also called Feather) and streams; which of them a file is, is seen by its first bytes. Files are
 * split by record batches; a stream is one split, as only its beginning says where a batch is. Bytes are checked before
 * they are decoded.
 *
 * @param paths - path, folder, glob or URL, or a list of them
 * @param options - how rows are handed over
 * @throws QStreamError when read: PATH_NOT_FOUND; BAD_INPUT with the file if its structure is broken; LIMIT_EXCEEDED for a
 *   stream or a single batch above 1 GiB
 * @example
 * q.read("flights", arrowIpc("flights.arrow"));                       // QStream<Table>
 * q.read("rows", arrowIpc(["a.arrow", "b.arrows"], { as: "objects" }));
 */
export function arrowIpc<Form extends ArrowForm = "arrow">(
  paths: string | readonly string[],
  options: ArrowIpcOptions<Form> = {},
): Reader<ArrowObject<Form>, ArrowSplit> {
  checkOptionNames("arrowIpc()", options, optionNames);
  checkChoice("as", options.as, representationChoices);
  const form: ArrowForm = options.as ?? "arrow";
  const batchRows = options.batchRows ?? defaultBatchRows;
  if (!Number.isSafeInteger(batchRows) || batchRows < 1) {
    throw new QStreamError("OPTION_INVALID", `batchRows is ${batchRows}`, { advice: "Give a positive integer." });
  }
  return {
    kind: "arrow-ipc",
    options: { paths, ...options },
    sizeOf: ({ bytes }) => bytes,
    replicas: ({ path }) => ({ file: path }),
    splits: (request) => findSplits(paths, request),
    read: (split, ctx) => readSplit(split, form, batchRows, ctx) as AsyncIterable<Reading<ArrowObject<Form>>>,
  };
}

async function findSplits(paths: string | readonly string[], request: SplitRequest): Promise<ArrowSplit[]> {
  const entries = await request.files.list(paths, request.signal);
  const whole = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const target = Math.min(splitBytesTarget, Math.ceil(whole / request.channels));
  const splits: ArrowSplit[] = [];
  for (const entry of entries) {
    const file = await request.files.open(entry, request.signal);
    try {
      splits.push(...(await splitFile(file, target)));
    } finally {
      await file.close();
    }
  }
  return splits;
}

async function splitFile(file: OpenFile, target: number): Promise<ArrowSplit[]> {
  const { path, version, bytes: fileBytes }: FileEntry = file.entry;
  const footer = await readArrowFooter(file);
  if (footer === undefined) return [{ path, version, firstBatch: 0, bytes: fileBytes }];
  const splits: ArrowSplit[] = [];
  let firstBatch = 0;
  let bytes = 0;
  for (const [index, { start, end }] of footer.batches.blocks.entries()) {
    bytes += end - start;
    const next = footer.batches.blocks[index + 1];
    if (next !== undefined && bytes + next.end - next.start <= target) continue;
    splits.push({ path, version, firstBatch, endBatch: index + 1, bytes });
    firstBatch = index + 1;
    bytes = 0;
  }
  return splits;
}

async function* readSplit(
  split: ArrowSplit,
  form: ArrowForm,
  batchRows: number,
  ctx: Context,
): AsyncGenerator<Reading<unknown>, void> {
  const bytes = await bytesOfSplit(split, ctx);
  const verified = verifyIpc(bytes, { file: split.path });
  const { rows } = verified;
  if (rows === 0) return;
  const batches = await loadBatches();
  const batch = await decode(bytes, verified, form, split.path);
  for (let first = 0; first < rows; first += batchRows) {
    const part = rows <= batchRows ? batch : batches.slice(batch, first, Math.min(first + batchRows, rows));
    if (form === "objects") yield* objectsOf(batches, part);
    else yield form === "polars" ? batches.toPolars(part) : batches.toArrow(part);
  }
}

/** The bytes of a split: a whole stream, or a file made of the split's batches. */
async function bytesOfSplit(split: ArrowSplit, ctx: Context): Promise<Buffer> {
  const file = await ctx.files.open(split.path, ctx.signal);
  try {
    if (file.entry.version !== split.version) {
      throw new QStreamError("BAD_INPUT", "the file was replaced while it was read", {
        file: split.path,
        advice: "Let its writer finish, and run again.",
      });
    }
    const { firstBatch, endBatch } = split;
    const footer = endBatch === undefined ? undefined : await readArrowFooter(file);
    if (footer === undefined || endBatch === undefined) {
      return Buffer.concat(await readBlocks(file, [{ start: 0, end: file.entry.bytes }]));
    }
    const blocks = [...footer.dictionaries.blocks, ...footer.batches.blocks.slice(firstBatch, endBatch)];
    return partOfFile({ footer, firstBatch, endBatch }, await readBlocks(file, blocks));
  } finally {
    await file.close();
  }
}

async function readBlocks(file: OpenFile, blocks: readonly ArrowBlock[]): Promise<Uint8Array[]> {
  const length = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
  if (length > splitBytesMax) {
    throw new QStreamError(
      "LIMIT_EXCEEDED",
      `${length} bytes have to be read at once, and the limit is ${splitBytesMax}`,
      {
        file: file.entry.path,
        advice: "Write it in the file format rather than as a stream, with smaller record batches.",
      },
    );
  }
  const contents: Uint8Array[] = [];
  for (const { start, end } of blocks) contents.push(await readWhole(file, start, end));
  return contents;
}

async function readWhole(file: OpenFile, start: number, end: number): Promise<Uint8Array> {
  const bytes = await file.read(start, end - start);
  if (bytes.byteLength === end - start) return bytes;
  throw new QStreamError("BAD_INPUT", `the file ends at byte ${start + bytes.byteLength}, before a record batch does`, {
    file: file.entry.path,
    advice: "It became shorter while it was read: let its writer finish, and run again.",
  });
}

/** Decodes verified bytes. Compressed ones need Polars, as apache-arrow comes without the codecs. */
async function decode(
  bytes: Buffer,
  { compressed, format }: VerifiedIpc,
  form: ArrowForm,
  file: string,
): Promise<unknown> {
  try {
    if (compressed || form === "polars") {
      const polars = loadPolars();
      return format === "file" ? polars.readIPC(bytes) : polars.readIPCStream(bytes);
    }
    const arrow = await loadArrow();
    return arrow.tableFromIPC(bytes);
  } catch (error) {
    if (error instanceof QStreamError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new QStreamError("BAD_INPUT", `Arrow data can't be decoded: ${reason.slice(0, 200)}`, {
      file,
      advice: "It is damaged, or has types or a compression that the library doesn't know: write it again without.",
      cause: error,
    });
  }
}

function* objectsOf(batches: BatchSupport, part: unknown): Generator<Reading<unknown>, void> {
  const table = batches.toArrow(part);
  const rows = rowMaker(table);
  for (let at = 0; at < table.numRows; at += runLength) yield run(rows(at, Math.min(at + runLength, table.numRows)));
}
