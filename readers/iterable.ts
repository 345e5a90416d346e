import { QStreamError } from "../lib/core/errors.ts";
import { run } from "../lib/core/contracts/reader.ts";
import type { Reader, Reading, Run } from "../lib/core/contracts/reader.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** A slice of an array: from `first` up to but without `end`. */
export interface ItemsSplit {
  readonly first: number;
  readonly end: number;
  /** Length of the whole array where the splits were made. */
  readonly length: number;
}

const runLength = 1024;

/**
 * Reads the objects of an array. Each channel gets one slice of it. The array is part of the flow's code: every slot makes
 * its own when it builds the flow, so it must come out the same each time.
 *
 * @param objects - the objects; they are not copied
 * @example
 * q.read("trees", items([{ tree: "oak", size: 3 }, { tree: "elm", size: 2 }]));
 */
export function items<T>(objects: readonly T[]): Reader<T, ItemsSplit> {
  return {
    kind: "items",
    options: { length: objects.length },
    sizeOf: ({ first, end }) => end - first,
    splits({ channels }) {
      const length = objects.length;
      const parts = Math.min(channels, length);
      return Array.from({ length: parts }, (_, part) => ({
        first: Math.floor((length * part) / parts),
        end: Math.floor((length * (part + 1)) / parts),
        length,
      }));
    },
    read: (split) => slices(objects, split),
  };
}

function* slices<T>(objects: readonly T[], { first, end, length }: ItemsSplit): Generator<Run<T>, void> {
  if (objects.length !== length) {
    throw new QStreamError(
      "BUILDER_IMPURE",
      `an array of items has ${objects.length} objects here and ${length} elsewhere`,
      {
        advice:
          "Make the array from constants and from the flow's arguments only, so that it is the same in every slot.",
      },
    );
  }
  for (let at = first; at < end; at += runLength) yield run(objects.slice(at, Math.min(at + runLength, end)));
}

/** Which part of an iterable is asked for: a number from 0 and how many parts there are. */
export interface IterablePart {
  readonly index: number;
  readonly count: number;
}

/** What a function given to `iterable` gets to know. */
export interface IterableRequest extends IterablePart {
  /** Aborted when the execution stops early. */
  readonly signal: AbortSignal;
}

/** Anything that can be iterated, but a string, which would be taken apart into letters. */
export type AnyIterable<T> = (Iterable<T> & object) | AsyncIterable<T>;

/** Options of `iterable`. */
export interface IterableOptions {
  /**
   * Whether the function gives the same objects each time. Default true for a function, and false for an iterable itself,
   * which can be gone through once only.
   */
  readonly replayable?: boolean;
  /** True if it may never end. Default false. */
  readonly endless?: boolean;
  /**
   * `single` (default): the function is called once. `per-slot`: it is called for each channel, and must give that
   * channel's part only, by `index` and `count`.
   */
  readonly parallelism?: "single" | "per-slot";
}

const optionNames = namesOf<IterableOptions>({ replayable: true, endless: true, parallelism: true });

/**
 * Reads what a generator function yields, sync or async. It is called where its channel runs, when the execution starts.
 * Yield `run([...])` to hand over many objects at once where speed matters.
 *
 * @param source - a function that returns an iterable; or an iterable itself, which then can't be read again
 * @throws QStreamError OPTION_INVALID when read, if the function returns nothing that can be iterated
 * @example
 * q.read("squares", iterable(function* () { for (let n = 0; n < 100; n++) yield n * n; }));
 * q.read("pages", iterable(async function* ({ index, count }) {
 *   for (let page = index; page < 50; page += count) yield await loadPage(page);
 * }, { parallelism: "per-slot" }));
 */
export function iterable<T>(
  source: ((request: IterableRequest) => AnyIterable<Reading<T>>) | AnyIterable<Reading<T>>,
  options: IterableOptions = {},
): Reader<T, IterablePart> {
  checkOptionNames("iterable()", options, optionNames);
  const once = typeof source !== "function";
  const parallelism = once ? "single" : (options.parallelism ?? "single");
  let started = false;
  return {
    kind: "iterable",
    options: { parallelism, source: once ? "iterable" : "function" },
    replayable: options.replayable ?? !once,
    endless: options.endless ?? false,
    parallelism,
    splits({ channels }) {
      const count = parallelism === "single" ? 1 : channels;
      return Array.from({ length: count }, (_, index) => ({ index, count }));
    },
    read(part, { signal }) {
      if (!once) return checkIterable(source({ ...part, signal }));
      if (started && options.replayable !== true) throw readTwice();
      started = true;
      return checkIterable(source);
    },
  };
}

function readTwice(): QStreamError {
  return new QStreamError(
    "UNSUPPORTED",
    "an iterable was to be read a second time, and can be gone through once only",
    {
      advice: "Give iterable() a function that makes the iterable, for example a generator function.",
    },
  );
}

function checkIterable<T>(given: AnyIterable<T>): AnyIterable<T> {
  const made: unknown = given;
  if (typeof made === "object" && made !== null && (Symbol.iterator in made || Symbol.asyncIterator in made))
    return given;
  const promise = made instanceof Promise;
  // Nobody waits for it, so that it may reject is no news.
  if (promise) made.catch(() => {});
  throw new QStreamError(
    "OPTION_INVALID",
    `iterable() got ${promise ? "a promise" : nameOf(made)}, which can't be iterated`,
    {
      advice: promise
        ? "Give it an asynchronous generator function, async function* () { ... }, and await in it what the promise was for."
        : "Give it a generator function, or a function that returns an array, a set or an async iterable.",
    },
  );
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
