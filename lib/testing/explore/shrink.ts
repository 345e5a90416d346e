import { firstWrong, holdsEarly, isOfAtEnd } from "./early-ends.ts";
import type { Exploration } from "./exploration.ts";
import type { Violation } from "./invariants.ts";
import { minimize } from "./minimize.ts";
import { runSeed, type SeedOptions, type SeedRun } from "./run-seed.ts";

/** A run that breaks a promise, and what repeats it. */
export interface FailingRun {
  readonly seed: number;
  readonly options: SeedOptions;
  readonly run: SeedRun;
  readonly violation: Violation;
}

// Steps of runs that are tried, at most, in all.
const stepsMost = 400_000;
// Seeds that are tried for a smaller run than the one that was found.
const otherSeeds = 300;
const seedsOfFewer = 150;
// Of all steps that are left, how many may be spent on looking for fewer machines.
const machinesShare = 0.4;
// Of all steps, how many may be spent on whether a check of the end may be made before it.
const earlyShare = 0.3;
// A fault less is worth so many steps.
const faultWeight = 8;

/**
 * Looks for a small run that breaks the same promise: with fewer machines where that is allowed, fewer faults, and fewer steps. Every
 * run that it tries is one that could have been found.
 */
export function shrink<System>(exploration: Exploration<System>, found: FailingRun): Promise<FailingRun> {
  return new Shrinking(exploration, found).run();
}

class Shrinking<System> {
  readonly #exploration: Exploration<System>;
  readonly #found: FailingRun;
  /** True for what is looked at when a run is over, and might be at any step. */
  #isEarly = false;
  #stepsLeft = stepsMost;

  constructor(exploration: Exploration<System>, found: FailingRun) {
    this.#exploration = exploration;
    this.#found = found;
  }

  async run(): Promise<FailingRun> {
    this.#isEarly = await this.#isSeenEarly();
    let best = await this.#reduce(this.#isEarly ? await this.#ended(this.#found) : this.#found);
    const fewer = await this.#withFewerMachines(best);
    if (fewer !== undefined) best = await this.#reduce(fewer);
    const { seed } = this.#found;
    for (let other = seed + 1; other <= seed + otherSeeds && this.#stepsLeft > 0; other++) {
      const steps = this.#isOfSteps ? best.violation.step - 1 : best.options.steps;
      if (this.#isOfSteps && best.violation.step < 3) break;
      // oxlint-disable-next-line no-await-in-loop -- each decides on the next
      const smaller = await this.#try(other, { ...machinesOf(best), ...(steps === undefined ? {} : { steps }) });
      if (smaller === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop -- see above
      const reduced = await this.#reduce(smaller);
      if (weightOf(reduced) < weightOf(best)) best = reduced;
    }
    return best;
  }

  /** True for what is seen at a step, which runs may be cut at; false for what has to come to hold. */
  get #isOfSteps(): boolean {
    return this.#isEarly || this.#found.violation.kind !== "eventually";
  }

  async #isSeenEarly(): Promise<boolean> {
    if (!isOfAtEnd(this.#exploration, this.#found)) return false;
    const most = this.#stepsLeft * (1 - earlyShare);
    return holdsEarly(this.#exploration, this.#found, (steps) => (this.#stepsLeft -= steps + 1) > most);
  }

  /** The same run, ended at the first step at which it is wrong. */
  async #ended(failing: FailingRun): Promise<FailingRun> {
    let best = failing;
    await firstWrong(failing.violation.step, async (steps) => {
      const earlier = await this.#try(failing.seed, { ...failing.options, steps });
      if (earlier !== undefined) best = earlier;
      return earlier !== undefined;
    });
    return best;
  }

  async #withFewerMachines(best: FailingRun): Promise<FailingRun | undefined> {
    const { machines, machinesMin } = this.#exploration.options;
    if (typeof machines !== "number" || machinesMin === undefined) return undefined;
    const { seed, options } = this.#found;
    const until = this.#stepsLeft * (1 - machinesShare);
    const steps = this.#isOfSteps ? { steps: best.violation.step * 2 } : {};
    for (let count = machinesMin; count < (options.machines ?? machines); count++) {
      for (let other = seed; other < seed + seedsOfFewer && this.#stepsLeft > until; other++) {
        // oxlint-disable-next-line no-await-in-loop -- the first one will do
        const smaller = await this.#try(other, { ...options, ...steps, machines: count });
        if (smaller !== undefined) return smaller;
      }
    }
    return undefined;
  }

  /** The same seed with fewer faults, and then with messages that take the least time. */
  async #reduce(failing: FailingRun): Promise<FailingRun> {
    let best = failing;
    const adopt = async (options: SeedOptions): Promise<boolean> => {
      const smaller = await this.#try(failing.seed, options);
      if (smaller === undefined || weightOf(smaller) > weightOf(best)) return false;
      best = smaller;
      return true;
    };
    const struck = [...new Set(failing.run.struck)];
    await minimize(struck, (faults) => adopt(this.#cut(best, { ...best.options.kept, faults: new Set(faults) })));
    const numbers = Array.from({ length: best.run.messages }, (_, index) => index + 1);
    await minimize(numbers, (delays) => adopt(this.#cut(best, { ...best.options.kept, delays: new Set(delays) })));
    return best;
  }

  #cut(best: FailingRun, kept: NonNullable<SeedOptions["kept"]>): SeedOptions {
    return this.#isOfSteps ? { ...best.options, kept, steps: best.violation.step } : { ...best.options, kept };
  }

  /** The run, if it breaks the same promise; where it is ended early, it has to do so also where it isn't. */
  async #try(seed: number, options: SeedOptions): Promise<FailingRun | undefined> {
    const failing = await this.#tryOnce(seed, options);
    if (failing === undefined || !this.#isEarly) return failing;
    const { steps: _steps, ...rest } = options;
    const { steps } = this.#found.options;
    const whole = await this.#tryOnce(seed, steps === undefined ? rest : { ...rest, steps });
    return whole === undefined ? undefined : failing;
  }

  async #tryOnce(seed: number, options: SeedOptions): Promise<FailingRun | undefined> {
    if (this.#stepsLeft <= 0) return undefined;
    const run = await runSeed(this.#exploration, seed, options);
    this.#stepsLeft -= run.steps + 1;
    const { violation } = run;
    const { invariant, kind } = this.#found.violation;
    if (violation === undefined || violation.invariant !== invariant || violation.kind !== kind) return undefined;
    return { seed, options, run, violation };
  }
}

function weightOf({ violation, run }: FailingRun): number {
  return violation.step + faultWeight * new Set(run.struck).size;
}

function machinesOf({ options }: FailingRun): SeedOptions {
  return options.machines === undefined ? {} : { machines: options.machines };
}
