import type { Readable } from "node:stream";
import type { TextSource } from "../text/source.ts";
import { abortReason, onAbort } from "./closable.ts";
import { LiveQueue } from "./live-queue.ts";

const newline = 10;
const queueBytes = 1 << 20;

/**
 * Text that comes in by a stream of the process. The stream is paused when it isn't read and when reading ends, so that it
 * doesn't keep the process alive; it isn't destroyed, since it isn't ours.
 */
export class InputSource implements TextSource {
  readonly end = Number.POSITIVE_INFINITY;
  readonly #stream: Readable;
  readonly #signal: AbortSignal;
  readonly #lineBytesMax: number;
  readonly file: string;
  #block: Buffer = Buffer.alloc(0);
  #blockStart = 0;
  #linesBefore = 0;
  #release = (): void => {};

  constructor(stream: Readable, name: string, signal: AbortSignal, lineBytesMax: number) {
    this.#stream = stream;
    this.file = name;
    this.#signal = signal;
    this.#lineBytesMax = lineBytesMax;
  }

  /** Blocks with a line end each, but for the last one and those that are longer than a line may be. */
  async *blocks(): AsyncGenerator<Buffer, void> {
    const queue = this.#listen();
    let parts: Buffer[] = [];
    let bytes = 0;
    for (let chunks = await queue.take(); chunks !== undefined; chunks = await queue.take()) {
      for (const chunk of chunks) {
        parts.push(chunk);
        bytes += chunk.byteLength;
        if (bytes <= this.#lineBytesMax && !chunk.includes(newline)) continue;
        yield this.#enter(parts);
        parts = [];
        bytes = 0;
      }
    }
    if (bytes > 0) yield this.#enter(parts);
  }

  /** The line of a position in the newest block, or in what the block before left open. */
  lineAt(position: number): Promise<number> {
    return Promise.resolve(1 + this.#linesBefore + countEnds(this.#block, position - this.#blockStart));
  }

  close(): Promise<void> {
    this.#release();
    return Promise.resolve();
  }

  #enter(parts: readonly Buffer[]): Buffer {
    this.#linesBefore += countEnds(this.#block, this.#block.byteLength);
    this.#blockStart += this.#block.byteLength;
    this.#block = Buffer.concat(parts);
    return this.#block;
  }

  #listen(): LiveQueue<Buffer> {
    const stream = this.#stream;
    const queue = new LiveQueue<Buffer>({
      objectsMax: Infinity,
      bytesMax: queueBytes,
      pause: () => stream.pause(),
      resume: () => stream.resume(),
    });
    const data = (chunk: Buffer | string): void => {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      queue.push(bytes, bytes.byteLength);
    };
    const ended = (): void => queue.end();
    const failed = (error: Error): void => queue.fail(error);
    const forget = onAbort(this.#signal, () => queue.abort(abortReason(this.#signal)));
    this.#release = () => {
      forget();
      stream.off("data", data).off("end", ended).off("close", ended).off("error", failed).pause();
    };
    if (stream.readableEnded || stream.destroyed) queue.end();
    else stream.on("end", ended).on("close", ended).on("error", failed).on("data", data);
    return queue;
  }
}

function countEnds(bytes: Buffer, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1 && at < to; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
