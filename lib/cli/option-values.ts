import { QStreamError } from "../core/errors.ts";

// What the values of options may be, and what is said of others: all of it is OPTION_INVALID.

/** Refuses two options that contradict each other. */
export function refuseTogether(first: unknown, second: unknown, what: string): void {
  if (first !== undefined && second !== undefined) throw new QStreamError("OPTION_INVALID", what);
}

/**
 * Refuses a command that names no flow, or more than one.
 *
 * @param hint - what may have been meant by more than one
 */
export function checkOneFlow(positionals: readonly string[], hint = ""): void {
  if (positionals.length === 1) return;
  const none = "which flow? Give the path of a module";
  const several = `one flow at a time, not ${positionals.join(" and ")}${hint}`;
  throw new QStreamError("OPTION_INVALID", positionals.length === 0 ? none : several);
}

/**
 * Checks a store, and says of one that is wrong that the environment names it, where it does.
 *
 * @param store - the one that --store names
 */
export function checkNamed(store: string | undefined, check: () => void): void {
  try {
    check();
  } catch (error) {
    const named = process.env["QSTREAM_STORE"];
    const isOfEnvironment = error instanceof QStreamError && store === undefined && named !== undefined;
    // Another one of the options may be what is wrong.
    if (!isOfEnvironment || !/\bstore\b/u.test(error.message)) throw error;
    throw new QStreamError(error.code, `${error.message} (QSTREAM_STORE names it)`, { cause: error });
  }
}

/** A whole number from `least` to `most`. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: a whole number from ${least} to ${most} is wanted`);
}

/** A whole number from 1 to `most`, or another where the option isn't given. */
export function wholeNumberOr(option: string, text: string | undefined, otherwise: number, most: number): number {
  return text === undefined ? otherwise : wholeNumber(option, text, 1, most);
}

/** The words that give an option a number; none where that is what it is anyway. */
export function wordsUnless(option: string, value: number, otherwise: number): readonly string[] {
  return value === otherwise ? [] : [option, String(value)];
}

/** One of some words. */
export function oneOf<const T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: one of ${choices.join(", ")} is wanted`);
}

const durationMost = 10 * 365 * 86_400_000;
const durations: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Milliseconds of a duration: a number with a unit. */
export function durationMs(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/u.exec(text);
  const ms = Math.round(Number(match?.[1]) * (durations.get(match?.[2] ?? "") ?? Number.NaN));
  if (ms >= 1 && ms <= durationMost) return ms;
  throw new QStreamError(
    "OPTION_INVALID",
    `${option} ${text}: a duration is wanted, written like 90s, 30min, 12h or 7d`,
  );
}

const memoryMin = 16 * 2 ** 20;
const memoryMost = 16 * 2 ** 40;
const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["KIB", 2 ** 10],
  ["MIB", 2 ** 20],
  ["GIB", 2 ** 30],
]);

/** Bytes of a heap: a number with a unit, or without. */
export function memoryBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text);
  const unit = units.get((match?.[2] ?? "?").toUpperCase());
  const bytes = match === null || unit === undefined ? 0 : Math.round(Number(match[1]) * unit);
  if (bytes >= memoryMin && bytes <= memoryMost) return bytes;
  throw new QStreamError(
    "OPTION_INVALID",
    `${option} ${text}: from 16 MiB to 16,384 GiB are wanted, written like 512MB, 2GB or 536870912`,
  );
}
