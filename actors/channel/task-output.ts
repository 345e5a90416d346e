import { representationOf } from "../../lib/core/batch/index.ts";
import { estimateBytes } from "../../lib/core/codec/index.ts";
import { Run, Side } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";

/** What one task sends: objects for the main output, and for side outputs by name. */
export interface Chunk {
  readonly objects: readonly unknown[];
  /** True if `objects` is one columnar batch. */
  readonly columnar: boolean;
  readonly sides: ReadonlyMap<string, readonly unknown[]> | undefined;
  /** True if nothing follows. */
  readonly last: boolean;
}

/** One thing that a source gave. */
export type Pulled = { readonly value: unknown } | undefined;

export interface ChunkLimits {
  readonly objects: number;
  readonly bytes: number;
  /** How long an asynchronous source may hold back objects which don't fill a parcel. */
  readonly lingerMs: number;
  readonly clock: Clock;
}

const sampleEvery = 64;

/**
 * Cuts what an operator returns, or a reader reads, into what single tasks send. Arrays and runs pass without a copy as long
 * as they fit; a columnar batch is always a chunk of its own.
 */
export class TaskOutput {
  readonly #sync: Iterator<unknown> | undefined;
  readonly #async: AsyncIterator<unknown> | undefined;
  #rest: readonly unknown[] | undefined;
  #restFrom = 0;
  /** What the reader named the place behind `#rest`. */
  #restMark: unknown;
  #held: { readonly batch: unknown } | undefined;
  #pending: Promise<IteratorResult<unknown>> | undefined;
  #ended = false;
  #interrupt: (() => void) | undefined;
  #objects: unknown[] = [];
  #sides: Map<string, unknown[]> | undefined;
  #limit = 0;
  #nextSample = 0;

  constructor(source: Iterable<unknown> | AsyncIterable<unknown>) {
    if (Array.isArray(source)) {
      this.#rest = source;
      this.#ended = true;
    } else if (Symbol.asyncIterator in source) {
      this.#async = source[Symbol.asyncIterator]();
    } else {
      this.#sync = source[Symbol.iterator]();
    }
  }

  /** The place that the reader named behind the run whose last object was taken last, if it did. */
  get mark(): { readonly after: unknown } | undefined {
    const through = this.#rest === undefined || this.#restFrom >= this.#rest.length;
    return through && this.#restMark !== undefined ? { after: this.#restMark } : undefined;
  }

  /** The next chunk; a promise only where the source is asynchronous. */
  next(limits: ChunkLimits): Chunk | Promise<Chunk> {
    this.#objects = [];
    this.#sides = undefined;
    this.#limit = limits.objects;
    this.#nextSample = 0;
    const ready = this.#takeReady(limits);
    if (ready !== undefined) return ready;
    if (this.#async !== undefined) return this.#pullAsync(this.#async, limits);
    return this.#pullSync(limits);
  }

  /** Nobody wants more: the chunk that waits for its source now is cut here, and is the last. */
  interrupt(): void {
    this.#interrupt?.();
  }

  /** Ends the source early, so that a generator's `finally` runs. */
  async close(): Promise<void> {
    const ended = this.#ended;
    this.#ended = true;
    this.#rest = undefined;
    if (ended) return;
    this.#sync?.return?.();
    // A generator that waits for its source answers only when that answers: it isn't waited for.
    if (this.#pending === undefined) await this.#async?.return?.();
    else void Promise.resolve(this.#async?.return?.()).catch(() => {});
  }

  /** The next single object, side output or batch, for replay, which cuts by its log; undefined at the end. */
  pull(): Pulled | Promise<Pulled> {
    if (this.#held !== undefined) {
      const { batch } = this.#held;
      this.#held = undefined;
      return { value: batch };
    }
    const rest = this.#rest;
    if (rest !== undefined && this.#restFrom < rest.length) return { value: rest[this.#restFrom++] };
    this.#rest = undefined;
    if (this.#ended) return undefined;
    if (this.#async === undefined) return this.#pulled(this.#sync?.next());
    const pending = (this.#pending ??= this.#async.next());
    return pending.then((step) => {
      this.#pending = undefined;
      return this.#pulled(step);
    });
  }

  #pulled(step: IteratorResult<unknown> | undefined): Pulled | Promise<Pulled> {
    if (step === undefined || step.done === true) {
      this.#ended = true;
      return undefined;
    }
    if (!(step.value instanceof Run)) {
      this.#restMark = undefined;
      return { value: step.value };
    }
    this.#startRun(step.value);
    return this.pull();
  }

  #startRun(run: Run<unknown>): void {
    this.#rest = run.objects;
    this.#restFrom = 0;
    // Behind an empty run the source is asked on within the chunk: what follows isn't read as it is from the mark.
    this.#restMark = run.objects.length === 0 ? undefined : run.mark;
  }

  #pullSync(limits: ChunkLimits): Chunk {
    const source = this.#sync;
    while (source !== undefined && !this.#ended) {
      const step = source.next();
      if (step.done === true) {
        this.#ended = true;
        break;
      }
      const chunk = this.#accept(step.value, limits);
      if (chunk !== undefined) return chunk;
    }
    return this.#chunk();
  }

  async #pullAsync(source: AsyncIterator<unknown>, limits: ChunkLimits): Promise<Chunk> {
    let linger: { readonly late: Promise<"late">; readonly cancel: () => void } | undefined;
    try {
      for (;;) {
        this.#pending ??= source.next();
        if (this.#objects.length > 0 || this.#sides !== undefined) linger ??= startLinger(limits);
        const step = await this.#settled(this.#pending, linger?.late);
        if (step === "late") return this.#chunk();
        this.#pending = undefined;
        if (step.done === true) {
          this.#ended = true;
          return this.#chunk();
        }
        const chunk = this.#accept(step.value, limits);
        if (chunk !== undefined) return chunk;
      }
    } finally {
      linger?.cancel();
    }
  }

  /** The source's answer, or "late" when the time to wait for it has passed or it is interrupted. */
  #settled(
    pending: Promise<IteratorResult<unknown>>,
    late: Promise<"late"> | undefined,
  ): Promise<IteratorResult<unknown> | "late"> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve("late");
      pending.then(resolve, reject);
      void late?.then(resolve);
    });
  }

  /** Takes one value of the source. Returns a chunk once there is enough for one. */
  #accept(value: unknown, limits: ChunkLimits): Chunk | undefined {
    if (typeof value === "object" && value !== null) {
      if (value instanceof Run) {
        this.#startRun(value);
        return this.#takeReady(limits);
      }
      if (value instanceof Side) return this.#acceptSide(value, limits);
      if (representationOf(value) !== undefined) {
        this.#held = { batch: value };
        return this.#takeReady(limits);
      }
    }
    this.#push(value, limits);
    return this.#objects.length >= this.#limit ? this.#chunk() : undefined;
  }

  #acceptSide({ name, object }: Side<unknown>, limits: ChunkLimits): Chunk | undefined {
    this.#restMark = undefined;
    this.#sides ??= new Map();
    let objects = this.#sides.get(name);
    if (objects === undefined) this.#sides.set(name, (objects = []));
    const count = objects.push(object);
    if (count % sampleEvery === 1) {
      // A batch is a parcel of its own.
      if (representationOf(object) !== undefined) return this.#chunk();
      this.#limit = Math.min(this.#limit, count - 1 + fitting(object, limits.bytes));
    }
    return count >= this.#limit ? this.#chunk() : undefined;
  }

  #push(value: unknown, limits: ChunkLimits): void {
    this.#restMark = undefined;
    const count = this.#objects.push(value);
    if (count <= this.#nextSample) return;
    this.#nextSample = count - 1 + sampleEvery;
    this.#limit = Math.min(this.#limit, count - 1 + fitting(value, limits.bytes));
  }

  /** What is at hand without asking the source: the rest of a run, a batch that was held back. */
  #takeReady(limits: ChunkLimits): Chunk | undefined {
    if (this.#held !== undefined) {
      if (this.#objects.length > 0) return this.#chunk();
      const { batch } = this.#held;
      this.#held = undefined;
      return { ...this.#chunk(), objects: [batch], columnar: true };
    }
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    const from = this.#restFrom;
    if (from >= rest.length) {
      this.#rest = undefined;
      return this.#ended ? this.#chunk() : undefined;
    }
    if (this.#objects.length > 0) return this.#chunk();
    return this.#takeFromRun(rest, from, limits);
  }

  #takeFromRun(rest: readonly unknown[], from: number, limits: ChunkLimits): Chunk {
    const first = rest[from];
    if (representationOf(first) !== undefined) {
      this.#restFrom = from + 1;
      return { ...this.#chunk(), objects: [first], columnar: true };
    }
    let count = Math.min(rest.length - from, limits.objects);
    for (let at = 0; at < count; at += sampleEvery)
      count = Math.min(count, at + fitting(rest[from + at], limits.bytes));
    this.#restFrom = from + count;
    if (count === rest.length) {
      this.#rest = undefined;
      return { objects: rest, columnar: false, sides: this.#sides, last: this.#isLast() };
    }
    return { objects: rest.slice(from, from + count), columnar: false, sides: this.#sides, last: this.#isLast() };
  }

  #chunk(): Chunk {
    const chunk = { objects: this.#objects, columnar: false, sides: this.#sides, last: this.#isLast() };
    this.#objects = [];
    this.#sides = undefined;
    return chunk;
  }

  #isLast(): boolean {
    const more = this.#rest !== undefined && this.#restFrom < this.#rest.length;
    return this.#ended && !more && this.#held === undefined;
  }
}

/**
 * The output of what an operator returned. Anything but an iterable is refused, since it would be lost.
 *
 * @param isMixed - objects for several outputs may be among one another, also in an array
 */
export function outputOf(result: unknown, isMixed = false): TaskOutput {
  if (typeof result !== "object" || result === null || !(Symbol.iterator in result || Symbol.asyncIterator in result)) {
    throw new QStreamError("STEP_FAILED", `an operator returned ${typeof result}`, {
      advice: "Return an array, a generator or another iterable of output objects, or nothing",
    });
  }
  if (isMixed && Array.isArray(result)) return new TaskOutput(result.values());
  return new TaskOutput(result as Iterable<unknown> | AsyncIterable<unknown>);
}

function fitting(sample: unknown, bytes: number): number {
  return typeof sample === "number" ? Infinity : Math.max(1, Math.floor(bytes / Math.max(1, estimateBytes(sample))));
}

function startLinger(limits: ChunkLimits): { readonly late: Promise<"late">; readonly cancel: () => void } {
  let cancel = (): void => {};
  const late = new Promise<"late">((resolve) => {
    cancel = limits.clock.after(limits.lingerMs, () => resolve("late"));
  });
  return { late, cancel };
}
