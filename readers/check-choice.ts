import { QStreamError } from "../lib/core/errors.ts";

/** Refuses a value of an option that is none of its choices, as plain JavaScript or a command line may give it: OPTION_INVALID. */
export function checkChoice(option: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : `a ${typeof value}`;
  const wanted = choices.map((choice) => JSON.stringify(choice)).join(", ");
  throw new QStreamError("OPTION_INVALID", `${option} is ${shown}`, { advice: `Give one of ${wanted}.` });
}

/** What `badRows` and `badLines` may be. */
export const badRowChoices = ["fail", "side"] as const;

/** What `as` may be. */
export const representationChoices = ["objects", "arrow", "polars"] as const;
