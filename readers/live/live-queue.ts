/** How much may wait, and how the source is told to wait. */
export interface QueueFlow {
  readonly objectsMax: number;
  readonly bytesMax: number;
  /** The queue is full: the source should send nothing until it is told to. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Objects that a source has pushed and nobody took yet. When there are too many, the source is paused; what it had sent by
 * then is taken all the same, so a queue holds at most what it may and what came in one piece.
 */
export class LiveQueue<T> {
  readonly #flow: QueueFlow;
  #objects: T[] = [];
  #bytes = 0;
  #paused = false;
  #ended = false;
  #error: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(flow: QueueFlow) {
    this.#flow = flow;
  }

  /** True while the source was told to wait. */
  get paused(): boolean {
    return this.#paused;
  }

  push(object: T, bytes: number): void {
    if (this.#ended) return;
    this.#objects.push(object);
    this.#bytes += bytes;
    if (!this.#paused && (this.#objects.length >= this.#flow.objectsMax || this.#bytes >= this.#flow.bytesMax)) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#notify();
  }

  /** Nothing comes any more. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** The source is lost: `take` throws the error, once what came before is taken. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#error = { error };
    this.end();
  }

  /** Nobody takes anything any more: what waits is forgotten, and whoever waits gets the error. */
  abort(error: unknown): void {
    this.#objects = [];
    this.#bytes = 0;
    this.#error = { error };
    this.end();
  }

  /** All that waits, at least one object; undefined at the end. */
  async take(): Promise<readonly T[] | undefined> {
    while (this.#objects.length === 0) {
      if (this.#error !== undefined) throw this.#error.error;
      if (this.#ended) return undefined;
      // oxlint-disable-next-line no-await-in-loop -- waits for the source
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const taken = this.#objects;
    this.#objects = [];
    this.#bytes = 0;
    if (this.#paused) {
      this.#paused = false;
      if (!this.#ended) this.#flow.resume();
    }
    return taken;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
