import { QStreamError } from "../core/errors.ts";

/**
 * Collects written bytes into parts: small writes become few large ones, a file's writes or an upload's parts. Memory is
 * one part; `send` holds the writer back until the part is gone.
 */
export class PartWriter {
  readonly #send: (part: Uint8Array, index: number) => Promise<void>;
  readonly #partBytes: (index: number) => number;
  #part: Uint8Array;
  #filled = 0;
  #index = 0;
  #sending: Promise<void> | undefined;
  #dropped = false;

  /** @param sent - parts that were sent before, by an earlier life */
  constructor(
    partBytes: (index: number) => number,
    send: (part: Uint8Array, index: number) => Promise<void>,
    sent = 0,
  ) {
    this.#partBytes = partBytes;
    this.#send = send;
    this.#index = sent;
    this.#part = new Uint8Array(0);
  }

  /** Parts sent so far. */
  get parts(): number {
    return this.#index;
  }

  /** What was written and isn't sent yet. Valid until the next write. */
  get pending(): Uint8Array {
    return this.#part.subarray(0, this.#filled);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let taken = 0;
    while (taken < bytes.byteLength) {
      if (this.#dropped) throw new QStreamError("ABORTED", "the file was given up while it was written");
      if (this.#part.byteLength === 0) this.#part = new Uint8Array(this.#partBytes(this.#index));
      const count = Math.min(bytes.byteLength - taken, this.#part.byteLength - this.#filled);
      this.#part.set(bytes.subarray(taken, taken + count), this.#filled);
      this.#filled += count;
      taken += count;
      if (this.#filled === this.#part.byteLength) await this.flush();
    }
  }

  /** Sends what is left as the last, smaller part. */
  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    const part = this.#part.subarray(0, this.#filled);
    this.#part = new Uint8Array(0);
    this.#filled = 0;
    this.#sending = this.#send(part, this.#index++);
    await this.#sending;
  }

  /** Forgets what wasn't sent, and waits for the part that is on its way: once it's done, nothing is sent any more. */
  async drop(): Promise<void> {
    this.#dropped = true;
    this.#part = new Uint8Array(0);
    this.#filled = 0;
    await this.#sending?.catch(() => undefined);
  }
}
