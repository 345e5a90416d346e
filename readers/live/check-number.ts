import { QStreamError } from "../../lib/core/errors.ts";

/** Refuses an option that is no whole number from `least` on: OPTION_INVALID. Undefined stands for its default. */
export function checkNumber(option: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new QStreamError("OPTION_INVALID", `${option} is ${String(value)}`, {
    advice: `Give a whole number from ${least} on.`,
  });
}
