import { QStreamError } from "../core/errors.ts";

// What the values of options may be, and what is said of others: all of it is OPTION_INVALID.

/** Refuses two options that contradict each other. */
export function refuseTogether(first: unknown, second: unknown, what: string): void {
  if (first !== undefined && second !== undefined) throw new QStreamError("OPTION_INVALID", what);
}

/** A whole number from `least` to `most`. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: a whole number from ${least} to ${most} is wanted`);
}

/** One of some words. */
export function oneOf<const T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new QStreamError("OPTION_INVALID", `${option} ${text}: one of ${choices.join(", ")} is wanted`);
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
