import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, Reading, SidedReader } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { isSlot } from "../lib/core/flow-registry.ts";
import { badRowChoices, checkChoice } from "./check-choice.ts";
import { checkNumber } from "./live/check-number.ts";
import { closable } from "./live/closable.ts";
import { InputSource } from "./live/input-source.ts";
import type { BadRow, BadRows } from "./text/bad-row.ts";
import { lineBytesMaxDefault } from "./text/line-blocks.ts";
import { readLines } from "./text/read-lines.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

export interface StandardInputOptions<Bad extends BadRows = BadRows> {
  /** What to do with a line that is no UTF-8: fail (default), or send it to the side output `bad`. */
  readonly badLines?: Bad;
  /** Bytes that a line may have. Default 16 MiB. */
  readonly lineBytesMax?: number;
  /** True for an input that never ends, such as another program's log. Default false. */
  readonly endless?: boolean;
}

/** The one standard input. */
export interface StandardInputSplit {
  readonly input: "standard";
}

/** A reader of lines; with `badLines: "side"` it has the side output `bad`. */
export type StandardInputReader<Bad extends BadRows> = Bad extends "side"
  ? SidedReader<string, { bad: BadRow }, StandardInputSplit>
  : Reader<string, StandardInputSplit>;

const name = "standard input";

/** True once it was read here: what is read from it is gone. */
let taken = false;

const optionNames = namesOf<StandardInputOptions>({ badLines: true, lineBytesMax: true, endless: true });

/**
 * Reads the lines of standard input, on one channel in the thread that runs the flow. They are UTF-8; line ends `\n` or
 * `\r\n` aren't part of them. What was read can't be read again: lines are kept durably before anybody gets them, and in a
 * process one reader can read them, once.
 *
 * @returns a reader of strings
 * @throws QStreamError BAD_INPUT with the line for invalid UTF-8; LIMIT_EXCEEDED for a line longer than `lineBytesMax`;
 * UNSUPPORTED for a second reader, and in a slot or on a cluster, which have no standard input
 * @example
 * q.read("lines", standardInput());
 */
export function standardInput<Bad extends BadRows = "fail">(
  options: StandardInputOptions<Bad> = {},
): StandardInputReader<Bad> {
  checkOptionNames("standardInput()", options, optionNames);
  const { badLines, lineBytesMax = lineBytesMaxDefault, endless = false } = options;
  checkChoice("badLines", badLines, badRowChoices);
  checkNumber("lineBytesMax", lineBytesMax, 1);
  const reader: Reader<string, StandardInputSplit> = {
    kind: "standard-input",
    options: { badLines: badLines ?? "fail", lineBytesMax },
    replayable: false,
    endless,
    parallelism: "client",
    splits: () => [{ input: "standard" }],
    read: (_, ctx) => closable(ctx.signal, (signal) => readInput(ctx, signal, badLines ?? "fail", lineBytesMax)),
  };
  return (badLines === "side" ? { ...reader, sides: { bad: "bad" } } : reader) as StandardInputReader<Bad>;
}

async function* readInput(
  ctx: Context,
  signal: AbortSignal,
  badLines: BadRows,
  lineBytesMax: number,
): AsyncGenerator<Reading<string>, void> {
  if (isSlot()) {
    throw new QStreamError("UNSUPPORTED", "a slot has no standard input", {
      advice:
        "Leave out the option place of the step, so that it runs in the thread that runs the flow. A cluster has no such thread: run " +
        "the flow on this machine, or write the lines to a file that the cluster's machines can read, for lines(path).",
    });
  }
  if (taken) {
    throw new QStreamError("UNSUPPORTED", "standard input was to be read a second time, and what was read is gone", {
      advice: "Read it once, and let several steps take the stream; or keep it as a dataset.",
    });
  }
  taken = true;
  const source = new InputSource(process.stdin, name, signal, lineBytesMax);
  try {
    yield* readLines(source, ctx, { from: 0, badLines, lineBytesMax });
  } finally {
    await source.close();
  }
}
