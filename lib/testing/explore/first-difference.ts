import { QStreamError } from "../../core/errors.ts";
import { describeStep } from "./diagram/index.ts";
import type { Exploration } from "./exploration.ts";
import { runSeed, type SeedOptions, type SeedRun } from "./run-seed.ts";
import type { RunStep } from "./trace.ts";

// Steps of the runs that are compared.
const stepsCompared = 1000;

// Characters that are shown of a step, before and behind where it differs.
const wordsBefore = 80;
const wordsBehind = 60;

const advice =
  "Make all state in `start` and `init`, and take time and randomness from ctx.now(), ctx.random() and world.random(), not from Date, Math.random or timers";

/** Runs a seed twice. Refuses what isn't the same run both times: NONDETERMINISTIC, with the first difference. */
export async function checkSameTwice<System>(
  exploration: Exploration<System>,
  seed: number,
  options: SeedOptions,
): Promise<void> {
  const difference = await firstDifference(exploration, seed, options);
  if (difference === undefined) return;
  const { words, outside } = difference;
  throw notSame(`seed ${seed} of ${exploration.name} isn't the same run twice${words}`, outside);
}

/** Where two runs of a seed differ. */
export interface Difference {
  /** Where they differ first, to be put behind what does. */
  readonly words: string;
  /** Who waited in one of them for something that isn't in the world: that is mostly why. */
  readonly outside?: string;
}

/** Where two runs of a seed differ first; undefined where they don't. */
export async function firstDifference<System>(
  exploration: Exploration<System>,
  seed: number,
  options: SeedOptions,
): Promise<Difference | undefined> {
  const compared = { ...options, stopAt: Math.min(options.stopAt ?? stepsCompared, stepsCompared), recorded: true };
  const first = await runSeed(exploration, seed, compared);
  const again = await runSeed(exploration, seed, compared);
  const { outside = again.outside } = first;
  const words = differenceOf(first, again);
  return words === undefined ? undefined : { words, ...(outside === undefined ? {} : { outside }) };
}

function differenceOf(first: SeedRun, again: SeedRun): string | undefined {
  const [one = [], other = []] = [first.trace?.steps, again.trace?.steps];
  const at = one.findIndex((step, index) => JSON.stringify(step) !== JSON.stringify(other[index]));
  if (at < 0 && one.length === other.length) {
    const [broken, brokenAgain] = [first, again].map(({ violation }) => violation?.invariant ?? "nothing");
    return broken === brokenAgain ? undefined : `: first it broke ${broken}, and then ${brokenAgain}`;
  }
  const index = at < 0 ? one.length : at;
  const number = (one[index] ?? other[index])?.step ?? 0;
  const [words, wordsAgain] = [one[index], other[index]].map(wordsOf) as [string, string];
  const from = differsAt(words, wordsAgain);
  return `: at step ${number} first ${cut(words, from)}, and then ${cut(wordsAgain, from)}`;
}

/**
 * What is thrown for a seed that isn't the same run twice.
 *
 * @param outside - who waited for something that isn't in the world
 */
export function notSame(what: string, outside?: string): QStreamError {
  return new QStreamError("NONDETERMINISTIC", outside === undefined ? what : `${what}; ${outside}`, { advice });
}

function wordsOf(step: RunStep | undefined): string {
  if (step === undefined) return "the run was over";
  const { line, at, state, sends = [] } = step;
  const sent = sends.map(({ text = "", to }) => `${text} to ${to}`).join(", ");
  const parts = [`${line} ${describeStep(step)}`, sent, state ?? ""].filter((part) => part !== "");
  return `${parts.join("; ")} (at ${at} ms)`;
}

function differsAt(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

/** The words around where they differ, between quotes. */
function cut(words: string, at: number): string {
  const [from, to] = [Math.max(0, at - wordsBefore), at + wordsBehind];
  return `"${from > 0 ? "…" : ""}${words.slice(from, to)}${to < words.length ? "…" : ""}"`;
}
