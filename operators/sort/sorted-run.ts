import { crc32 } from "node:zlib";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { Disk, DiskFile } from "../../lib/core/seam/disk.ts";

/** A run's blocks as plain data. */
export type RunState = readonly Payload[];

/** One block of a run: where it lies in the file, or itself, where it came with a restored state. */
type Block =
  | {
      readonly position: number;
      readonly length: number;
      readonly checksum: number;
      readonly format: Payload["format"];
      readonly rows: number;
    }
  | { readonly payload: Payload };

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

  /** Writes a block after the others. What there is to know of it stays in memory: a drive may lose a write as a whole. */
  async append(payload: Payload): Promise<void> {
    const { format, rows } = payload;
    const bytes = new Uint8Array(payload.bytes);
    const position = await this.#openFile().append(bytes);
    this.#blocks.push({ position, length: bytes.byteLength, checksum: crc32(bytes), format, rows });
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
    const { position, length, checksum, format, rows } = block;
    const bytes = await this.#openFile().read(position, length);
    if (bytes.byteLength !== length || crc32(bytes) !== checksum) throw damaged(length, bytes.byteLength);
    // A copy, because frames are read in aligned words.
    return { format, rows, bytes: new Uint8Array(bytes).buffer };
  }

  #openFile(): DiskFile {
    if (this.#file !== undefined) return this.#file;
    throw new QStreamError("INTERNAL", "a sorted run was used after its file was removed");
  }
}

function damaged(expected: number, found: number): QStreamError {
  const what = expected === found ? "its bytes are others" : `${found} of ${expected} bytes are there`;
  return new QStreamError("SPOOL_DAMAGED", `what a sort has on disk isn't what was written: ${what}`, {
    advice: "Look at the disk that holds temporary files. With a store, what was on it is made again",
  });
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
