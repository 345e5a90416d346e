import type { ReadFrom, Reader } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { behind } from "./behind.ts";
import type { ChannelContext } from "./channel-context.ts";
import { TaskOutput } from "./task-output.ts";

/** How far a reader's channel has come: the part of a checkpoint that is a reader's own. */
export interface ReadingPlace {
  /** True if a split is being read, whose end hasn't come. */
  readonly open: boolean;
  /** Splits that were begun. */
  readonly begun: number;
  /** Objects taken of the last of them, side outputs included. */
  readonly position: number;
  /** A place that the reader named in the split, and how many objects are before it. */
  readonly mark: { readonly after: unknown; readonly position: number } | undefined;
  /** The time that the split's reading is told, milliseconds since 1970; undefined before the first split. */
  readonly now: number | undefined;
}

/** A split of a reader. */
export interface NumberedSplit {
  /** Its index among all splits of the reader. */
  readonly index: number;
  readonly split: unknown;
  /** Where another channel, which had begun it, has left it: it is gone on with from there. */
  readonly from?: Pick<ReadingPlace, "position" | "mark">;
}

/** The work of a reader's channel: its splits, one after the other. */
export class ReaderWork {
  /** False for a source that can't be asked again: what it gave is kept in the log. */
  readonly replayable: boolean;
  readonly #reader: Reader<unknown>;
  readonly #splits: readonly NumberedSplit[];
  #begun = 0;
  /** Objects taken of the current split, side outputs included. */
  position = 0;
  #mark: ReadingPlace["mark"];
  #ctx: ChannelContext | undefined;
  /** When the reading of the current split was begun, whichever life did. */
  #now: number | undefined;
  /** The split that was begun last has more to give, though this life hasn't asked for it yet. */
  #unfinished = false;

  constructor(reader: Reader<unknown>, splits: readonly NumberedSplit[]) {
    this.#reader = reader;
    this.#splits = splits;
    this.replayable = reader.replayable !== false;
  }

  get splitsDone(): number {
    return this.#begun;
  }

  get splits(): number {
    return this.#splits.length;
  }

  /** Index of the split that is being read, among all splits of the reader. */
  get split(): number {
    return this.#splits[this.#begun - 1]?.index ?? -1;
  }

  /** True once nothing is left to begin. */
  get exhausted(): boolean {
    return this.#begun >= this.#splits.length && !this.#unfinished;
  }

  /** @param open - whether the current split has more to give */
  place(open: boolean): ReadingPlace {
    return {
      open: open || this.#unfinished,
      begun: this.#begun,
      position: this.position,
      mark: this.#mark,
      now: this.#now,
    };
  }

  /** Counts what a task took; `mark` is the place behind it, if the reader named that. */
  taken(count: number, mark: { readonly after: unknown } | undefined): void {
    this.position += count;
    if (mark === undefined) return;
    this.#mark = { ...mark, position: this.position };
    // The reader is asked to go on only after this: it draws what one draws that starts at the mark.
    this.#ctx?.drawAnew([this.split, this.position]);
  }

  /**
   * Goes to a place again. A split that was being read is read from the last mark, or its start.
   *
   * @returns the split's output, and how much of it had been taken by then
   */
  restore(
    place: ReadingPlace,
    ctx: ChannelContext,
  ): { readonly output: TaskOutput; readonly skip: number } | undefined {
    this.#begun = place.begun;
    this.position = place.position;
    this.#mark = place.mark;
    this.#unfinished = place.open;
    if (!place.open || !this.replayable) return undefined;
    const output = this.next(ctx, place.now);
    return output === undefined ? undefined : { output, skip: place.position - (place.mark?.position ?? 0) };
  }

  /** Repeats what the log kept of a source that can't be asked again. */
  follow(split: number, position: number, more: boolean): void {
    this.#begun = this.#splits.findIndex(({ index }) => index === split) + 1;
    this.position = position;
    this.#unfinished = more;
  }

  /**
   * Reads on in the split that is unfinished, or begins the next one; undefined when there is none.
   *
   * @param now - when its reading was begun, if another life did
   */
  next(ctx: ChannelContext, now: number = ctx.taskNow): TaskOutput | undefined {
    const goesOn = this.#unfinished;
    this.#unfinished = false;
    const next = this.#splits[goesOn ? this.#begun - 1 : this.#begun];
    if (next === undefined) return undefined;
    if (!goesOn) {
      this.#begun++;
      this.position = next.from?.position ?? 0;
      this.#mark = next.from?.mark;
    }
    // What a reader draws depends on the split and the place in it only, so that reading it again draws the same.
    ctx.enter([next.index, this.replayable ? (this.#mark?.position ?? 0) : this.position], now);
    this.#ctx = ctx;
    this.#now = now;
    const from: ReadFrom[] = this.#mark !== undefined ? [{ after: this.#mark.after }] : [];
    const reading: unknown = this.#reader.read(next.split, ctx, ...from);
    if (!isIterable(reading)) throw notIterable(reading);
    // An array of a reader may hold runs and side outputs among its objects, so it is gone through one by one.
    const source = Array.isArray(reading) ? reading.values() : reading;
    // A split that this channel itself goes on with is passed over by whoever restores it.
    const skip = goesOn || !this.replayable ? 0 : this.position - (this.#mark?.position ?? 0);
    return new TaskOutput(skip === 0 ? source : behind(source, skip));
  }
}

function isIterable(reading: unknown): reading is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof reading === "object" && reading !== null && (Symbol.iterator in reading || Symbol.asyncIterator in reading)
  );
}

function notIterable(reading: unknown): QStreamError {
  const promise = reading instanceof Promise;
  // Nobody waits for it, so that it may reject is no news.
  if (promise) reading.catch(() => {});
  const what = promise
    ? "a promise"
    : typeof reading === "object" && reading !== null
      ? "an object"
      : describe(reading);
  return new QStreamError("STEP_FAILED", `the reader's read returned ${what}, which can't be iterated`, {
    advice: promise
      ? "Make read an asynchronous generator, async *read(split, ctx), and await in it what the promise was for."
      : "Return an array, a generator or another iterable, sync or async: an empty array for a split without objects.",
  });
}

function describe(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}
