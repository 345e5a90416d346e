import type { Context } from "../../lib/core/contracts/context.ts";
import type { OpenFile } from "../../lib/core/contracts/file-system.ts";
import { gunzip, hasGzipMagic } from "./gzip.ts";
import type { TextSplit } from "./splits.ts";

const localReadBytes = 1 << 20;
const remoteReadBytes = 4 << 20;
const overhangReadBytes = 64 << 10;

/** The content of a split's file while the split is read. */
export interface TextSource {
  readonly file: string;
  /** Where the split ends, in bytes of content; infinite for a compressed file. */
  readonly end: number;
  /** Blocks of content from a position (0 in a compressed file) to the end of the file; the next is read ahead. */
  blocks: (from: number) => AsyncGenerator<Buffer, void>;
  /** 1-based line at a position of the content. Reads what comes before it, so it is for errors only. */
  lineAt: (position: number) => Promise<number>;
  close: () => Promise<void>;
}

/** Opens a split's file. A file that was replaced since it was listed is BAD_INPUT. */
export async function openText(split: TextSplit, ctx: Pick<Context, "files" | "signal">): Promise<TextSource> {
  const open = await ctx.files.open({ path: split.path, bytes: split.bytes, version: split.version }, ctx.signal);
  try {
    const compressed = split.gzip ?? (split.from === 0 && hasGzipMagic(await open.read(0, 2)));
    const readBytes = ctx.files.localPath(split.path) === undefined ? remoteReadBytes : localReadBytes;
    return new FileText(split, open, { compressed, readBytes });
  } catch (error) {
    await open.close();
    throw error;
  }
}

class FileText implements TextSource {
  readonly file: string;
  readonly end: number;
  readonly #open: OpenFile;
  readonly #rangeEnd: number;
  readonly #compressed: boolean;
  readonly #readBytes: number;
  #counter: LineCounter | undefined;

  constructor(split: TextSplit, open: OpenFile, how: { readonly compressed: boolean; readonly readBytes: number }) {
    this.file = split.path;
    this.end = how.compressed ? Number.POSITIVE_INFINITY : split.to;
    this.#open = open;
    this.#rangeEnd = split.to;
    this.#compressed = how.compressed;
    this.#readBytes = how.readBytes;
  }

  blocks(from: number): AsyncGenerator<Buffer, void> {
    return this.#compressed ? gunzip(this.#stored(0), this.file) : this.#stored(from);
  }

  async lineAt(position: number): Promise<number> {
    this.#counter ??= new LineCounter(() => this.blocks(0));
    return 1 + (await this.#counter.before(position));
  }

  async close(): Promise<void> {
    await this.#counter?.close();
    await this.#open.close();
  }

  /** The bytes as they are stored. What lies behind the split's end is read in small pieces: only one line of it counts. */
  async *#stored(from: number): AsyncGenerator<Buffer, void> {
    const bytes = this.#open.entry.bytes;
    let position = from;
    const readNext = (): Promise<Uint8Array> | undefined => {
      if (position >= bytes) return undefined;
      const left = this.#rangeEnd - position;
      const length = left > 0 ? Math.min(left, this.#readBytes) : overhangReadBytes;
      const reading = this.#open.read(position, length);
      position += Math.min(length, bytes - position);
      // Whoever stops early doesn't wait for what was read ahead, so its failure must not count as unhandled.
      reading.catch(() => {});
      return reading;
    };
    let next = readNext();
    while (next !== undefined) {
      const block = await next;
      next = readNext();
      yield Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    }
  }
}

/** Counts line ends from the start of a file; goes on where the last count ended. */
class LineCounter {
  readonly #start: () => AsyncGenerator<Buffer, void>;
  #blocks: AsyncGenerator<Buffer, void>;
  #block: Buffer = Buffer.alloc(0);
  #blockStart = 0;
  #position = 0;
  #count = 0;

  constructor(start: () => AsyncGenerator<Buffer, void>) {
    this.#start = start;
    this.#blocks = start();
  }

  async before(position: number): Promise<number> {
    if (position < this.#position) await this.#restart();
    while (this.#position < position) {
      const blockEnd = this.#blockStart + this.#block.byteLength;
      if (this.#position >= blockEnd) {
        const next = await this.#blocks.next();
        if (next.done === true) break;
        this.#block = next.value;
        this.#blockStart = blockEnd;
        continue;
      }
      const from = this.#position - this.#blockStart;
      const to = Math.min(this.#block.byteLength, position - this.#blockStart);
      for (let at = this.#block.indexOf(10, from); at !== -1 && at < to; at = this.#block.indexOf(10, at + 1)) {
        this.#count += 1;
      }
      this.#position = this.#blockStart + to;
    }
    return this.#count;
  }

  async #restart(): Promise<void> {
    await this.close();
    this.#blocks = this.#start();
    this.#block = Buffer.alloc(0);
    this.#blockStart = this.#position = this.#count = 0;
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}
