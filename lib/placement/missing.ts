import { QStreamError } from "../core/errors.ts";
import type { PlacementStrategy, SlotPlace } from "../core/placement-strategy.ts";

const waitMsDefault = 60_000;

/** The error of a strategy that can't be met. */
export interface MissingPlace extends QStreamError {
  /** What is missing, in a few words: `a machine with the tag "gpu"`. */
  readonly missing: string;
  /** Milliseconds for which it is to be waited for; undefined: not at all. */
  readonly waitMs: number | undefined;
}

/** True for the error of a strategy that can't be met at the moment. */
export function isMissing(error: unknown): error is MissingPlace {
  return error instanceof QStreamError && "missing" in error;
}

/** Makes the error of a strategy that can't be met: it says what is missing, and for how long one may wait for it. */
export function missingPlace(
  step: string,
  strategy: PlacementStrategy,
  missing: string,
  slots: readonly SlotPlace[],
): MissingPlace {
  const machines = new Set(slots.map(({ machine }) => machine)).size;
  const tags = [...new Set(slots.flatMap((slot) => slot.tags))];
  const there = `${count(machines, "machine")}, with ${tags.length === 0 ? "no tags" : `the tags ${tags.join(", ")}`}`;
  const what = `step "${step}" can't be placed: it wants ${missing}. There ${isOrAre(machines)} ${there}`;
  const error = new QStreamError("PLACEMENT_IMPOSSIBLE", what, { step, advice: adviceFor(strategy) });
  return Object.assign(error, { missing, waitMs: waitMsOf(strategy) });
}

function waitMsOf(strategy: PlacementStrategy): number | undefined {
  if (!("whenMissing" in strategy) || strategy.whenMissing !== "wait") return undefined;
  return strategy.waitMs ?? waitMsDefault;
}

function adviceFor(strategy: PlacementStrategy): string {
  if (strategy.kind === "tagged") {
    const { tag } = strategy;
    return `Start a machine with it: qstream worker --tag ${tag}; or give it to the session: local({ tags: ["${tag}"] })`;
  }
  if (strategy.kind === "near-files") return "Start a machine that has them: qstream worker --has FOLDER";
  return "Start more machines: qstream worker --join with the URL of the head";
}

export function isOrAre(number: number): "is" | "are" {
  return number === 1 ? "is" : "are";
}

/** `1 machine`, `3 machines`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
