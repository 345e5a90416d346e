import type { Exploration } from "./exploration.ts";
import { runSeed } from "./run-seed.ts";
import type { FailingRun } from "./shrink.ts";

// Runs that hold, how many are looked for and among how many seeds, and at how many of their steps each is ended early.
const holding = 5;
const seedsMost = 20;
const endsOfEach = 12;

/** True for what a check of `atEnd` found, and nothing that has to come to hold. */
export function isOfAtEnd<System>(exploration: Exploration<System>, { violation }: FailingRun): boolean {
  const { atEnd = {}, eventually = {} } = exploration.options;
  const { invariant, kind } = violation;
  return kind === "eventually" && Object.hasOwn(atEnd, invariant) && !Object.hasOwn(eventually, invariant);
}

/**
 * Whether a check of `atEnd` means something at any step, as of a history, or only when all is done, as that every message has come. It
 * does if it holds wherever runs are ended early that hold at their end; where no run holds, it isn't known, and taken not to.
 *
 * @param spent - told of the steps that runs took; says if more may be spent
 */
export async function holdsEarly<System>(
  exploration: Exploration<System>,
  { seed: found, options, violation }: FailingRun,
  spent: (steps: number) => boolean,
): Promise<boolean> {
  const { kept: _kept, ...plain } = options;
  let held = 0;
  for (let away = 1; away <= seedsMost && held < holding; away++) {
    // Those before the one that was found have held.
    const seed = found - away >= 0 ? found - away : found + away;
    // oxlint-disable-next-line no-await-in-loop -- one world after the other, in one thread
    const whole = await runSeed(exploration, seed, plain);
    if (!spent(whole.steps)) return false;
    if (whole.violation !== undefined) continue;
    held++;
    for (const steps of endsOf(whole.steps)) {
      // oxlint-disable-next-line no-await-in-loop -- see above
      const early = await runSeed(exploration, seed, { ...plain, steps });
      if (!spent(early.steps) || early.violation?.invariant === violation.invariant) return false;
    }
  }
  return held > 0;
}

/** Steps at which a run is ended: every one of a short run, and of a longer one those that divide it evenly. */
function endsOf(steps: number): readonly number[] {
  const ends = Array.from({ length: endsOfEach }, (_, index) => Math.ceil(((index + 1) * steps) / (endsOfEach + 1)));
  return [...new Set(ends)].filter((end) => end > 0 && end < steps);
}

/** The first step, from 1, at which a run is wrong that is wrong at its last; it is once wrong, and stays so. */
export async function firstWrong(last: number, isWrong: (steps: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [1, last];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // oxlint-disable-next-line no-await-in-loop -- each decides on the next
    if (await isWrong(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
