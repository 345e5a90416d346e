import { QStreamError } from "../lib/core/errors.ts";
import { run } from "../lib/core/contracts/reader.ts";
import type { Reader, Run } from "../lib/core/contracts/reader.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

/** Options of `numbers`. */
export interface NumbersOptions {
  /** Difference between two numbers; negative to count down. Default 1. */
  readonly step?: number;
}

/** The numbers of a range by their places in it: from `first` up to but without `end`. */
export interface NumbersSplit {
  readonly first: number;
  readonly end: number;
}

const runLength = 1024;

const optionNames = namesOf<NumbersOptions>({ step: true });

/**
 * Reads the numbers from `from` (included) to `to` (excluded). Each channel gets one stretch of them.
 *
 * @param from - the first number
 * @param to - where the range ends; the number itself isn't in it
 * @param options - `step`, the difference between two numbers
 * @throws QStreamError OPTION_INVALID if a number isn't finite, the step is 0, or the range has more than 2^53 numbers
 * @example
 * q.read("numbers", numbers(0, 1_000_000));
 * q.read("countdown", numbers(10, 0, { step: -1 }));
 */
export function numbers(from: number, to: number, options: NumbersOptions = {}): Reader<number, NumbersSplit> {
  checkOptionNames("numbers()", options, optionNames);
  const step = options.step ?? 1;
  const count = countOf(from, to, step);
  return {
    kind: "numbers",
    options: { from, to, step },
    sizeOf: ({ first, end }) => end - first,
    splits({ channels }) {
      const parts = Math.min(channels, count);
      return Array.from({ length: parts }, (_, part) => ({
        first: Math.floor((count / parts) * part),
        end: part === parts - 1 ? count : Math.floor((count / parts) * (part + 1)),
      }));
    },
    read: ({ first, end }) => runsOf({ from, step, first, end }),
  };
}

function countOf(from: number, to: number, step: number): number {
  if (!Number.isFinite(from) || !Number.isFinite(to) || !Number.isFinite(step) || step === 0) {
    throw new QStreamError("OPTION_INVALID", `numbers(${from}, ${to}) with step ${step} is no range of numbers`, {
      advice: "Give finite numbers and a step other than 0.",
    });
  }
  const count = Math.max(0, Math.ceil((to - from) / step));
  if (count > Number.MAX_SAFE_INTEGER) {
    throw new QStreamError("OPTION_INVALID", `numbers(${from}, ${to}) with step ${step} has more than 2^53 numbers`, {
      advice: "Give a larger step.",
    });
  }
  return count;
}

// Each number is made from its place, not from the one before it, so that fractions don't drift and splits agree.
function* runsOf(part: NumbersSplit & { readonly from: number; readonly step: number }): Generator<Run<number>, void> {
  const { from, step, end } = part;
  for (let first = part.first; first < end; first += runLength) {
    const last = Math.min(first + runLength, end);
    const objects: number[] = [];
    for (let place = first; place < last; place++) objects.push(from + place * step);
    yield run(objects);
  }
}
