import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { Disk, DiskFile } from "../../lib/core/seam/disk.ts";

/** A run's blocks as plain data. */
export type RunState = readonly Payload[];

/** One block of a run: where it lies in the file, or itself, where it came with a restored state. */
type Block = { readonly position: number; readonly length: number } | { readonly payload: Payload };

const headerBytes = 16;
const magic = 0x51_53_52_31;
const formats: readonly Payload["format"][] = ["columns", "clone", "batch"];

/** Objects or rows in order, as encoded blocks in a temporary file, which are read one after the other. */
export class SortedRun {
  readonly #blocks: Block[];
  #file: DiskFile | undefined;
  #next = 0;

  private constructor(blocks: Block[], file: DiskFile | undefined) {
    this.#blocks = blocks;
    this.#file = file;
  }

  static async create(disk: Disk): Promise<SortedRun> {
    return new SortedRun([], await disk.create("sort"));
  }

  static restored(state: RunState): SortedRun {
    return new SortedRun(
      state.map((payload) => ({ payload })),
      undefined,
    );
  }

  /** Writes a block after the others: magic, format, rows and length before it. */
  async append(payload: Payload): Promise<void> {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(magic, 0);
    header.writeUInt32LE(formats.indexOf(payload.format), 4);
    header.writeUInt32LE(payload.rows, 8);
    header.writeUInt32LE(payload.bytes.byteLength, 12);
    const length = headerBytes + payload.bytes.byteLength;
    const position = await this.#openFile().append(Buffer.concat([header, new Uint8Array(payload.bytes)], length));
    this.#blocks.push({ position, length });
  }

  /** The next block in order; undefined after the last. */
  async next(): Promise<Payload | undefined> {
    const block = this.#blocks[this.#next];
    if (block === undefined) return undefined;
    this.#next += 1;
    return this.#read(block);
  }

  /** All blocks, for a snapshot. */
  async save(): Promise<RunState> {
    const payloads: Payload[] = [];
    for (const block of this.#blocks) payloads.push(await this.#read(block));
    return payloads;
  }

  async remove(): Promise<void> {
    await this.#file?.remove();
    this.#file = undefined;
    this.#blocks.length = 0;
  }

  async #read(block: Block): Promise<Payload> {
    if ("payload" in block) return block.payload;
    const bytes = await this.#openFile().read(block.position, block.length);
    const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(headerBytes, bytes.byteLength));
    const sound =
      bytes.byteLength === block.length &&
      header.readUInt32LE(0) === magic &&
      header.readUInt32LE(12) === block.length - headerBytes;
    const format = sound ? formats[header.readUInt32LE(4)] : undefined;
    if (format === undefined) {
      throw new QStreamError("FRAME_INVALID", "a temporary file of a sort was damaged", {
        advice: "Look whether the disk is full or broken, and run the flow again.",
      });
    }
    // A copy, because frames are read in aligned words.
    return { format, rows: header.readUInt32LE(8), bytes: new Uint8Array(bytes.subarray(headerBytes)).buffer };
  }

  #openFile(): DiskFile {
    if (this.#file !== undefined) return this.#file;
    throw new QStreamError("INTERNAL", "a sorted run was used after its file was removed");
  }
}

/** Runs as plain data, for a snapshot. */
export function saveAll(runs: readonly SortedRun[]): Promise<RunState[]> {
  return Promise.all(runs.map((run) => run.save()));
}

/** Bytes of the blocks that runs are written in: small enough that a merge can hold one of each run. */
export function blockBytesFor(memoryBytes: number): number {
  return Math.max(4096, Math.min(1 << 20, Math.floor(memoryBytes / 32)));
}

/** How many runs are merged at once, so that their blocks fit in memory. */
export function mergeWidthFor(memoryBytes: number): number {
  return Math.max(2, Math.min(256, Math.floor(memoryBytes / (2 * blockBytesFor(memoryBytes)))));
}
