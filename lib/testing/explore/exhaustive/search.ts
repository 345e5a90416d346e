import { keyedRandom } from "../../../core/seam/random.ts";
import type { Exploration } from "../exploration.ts";
import type { Violation } from "../invariants.ts";
import type { TraceRecorder } from "../trace-recorder.ts";
import { ChoiceRun, type Alternative, type Budget } from "./choice-run.ts";
import { Choice, findPrevented, findRaces } from "./search-path.ts";
import { stateHash } from "./state-text.ts";
import type { Touches } from "./touches.ts";

/** How the search is kept small. */
export type Reduction =
  /** Of the orders that differ in nothing that anybody could tell, one is tried. */
  | "races"
  /** What follows a state that was met before isn't tried again. */
  | "states"
  /** All orders are tried. */
  | "none";

export interface SearchOptions {
  readonly budget: Budget;
  readonly reduction: Reduction;
  /** Transitions of one execution at most. */
  readonly depth: number;
  /** Executions at most. */
  readonly executions: number;
  readonly machines: number | undefined;
  /** Told now and then how many executions there have been. */
  readonly onExecution?: ((executions: number) => void) | undefined;
}

/** A choice, as a command has it. */
export interface ChoiceMade {
  /** Which of those that could be gone on with. */
  readonly index: number;
  readonly process: string;
  readonly alternative: Alternative;
}

export interface SearchResult {
  readonly executions: number;
  /** Executions that were given up as they would only repeat others. */
  readonly redundant: number;
  readonly transitions: number;
  readonly steps: number;
  /** Different states that were met; undefined where states can't be compared. */
  readonly states: number | undefined;
  /** True if every order was tried, or another that nobody can tell from it. */
  readonly isExhausted: boolean;
  /** Executions that were cut off at the depth. */
  readonly cut: number;
  readonly violation: { readonly violation: Violation; readonly choices: readonly ChoiceMade[] } | undefined;
}

/** Tries all orders in which an exploration's messages and timers may come, and all ways in which a bounded number of faults may strike. */
export function searchAll<System>(exploration: Exploration<System>, options: SearchOptions): Promise<SearchResult> {
  return new Search(exploration, options).run();
}

class Search<System> {
  readonly #exploration: Exploration<System>;
  readonly #options: SearchOptions;
  readonly #path: Choice[] = [];
  readonly #states = new Set<string>();
  #isHashable = true;
  #executions = 0;
  #redundant = 0;
  #transitions = 0;
  #steps = 0;
  #cut = 0;

  constructor(exploration: Exploration<System>, options: SearchOptions) {
    this.#exploration = exploration;
    this.#options = options;
  }

  async run(): Promise<SearchResult> {
    const path = this.#path;
    let fresh = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one execution after the other
      const run = await this.#execute(fresh);
      this.#options.onExecution?.(this.#executions);
      const { violation } = run;
      if (violation !== undefined) return this.#result(false, { violation, choices: choicesOf(path) });
      for (let last = path.at(-1); last !== undefined && !last.advance(); last = path.at(-1)) path.pop();
      if (path.length === 0) return this.#result(this.#cut === 0, undefined);
      if (this.#executions >= this.#options.executions) return this.#result(false, undefined);
      fresh = path.length - 1;
    }
  }

  /** @param fresh - the first choice that wasn't made so before */
  async #execute(fresh: number): Promise<ChoiceRun<System>> {
    const { budget, machines } = this.#options;
    const path = this.#path;
    const run = await ChoiceRun.begin(this.#exploration, { budget, machines, recorder: undefined });
    if (fresh === 0) this.#isNew(run);
    for (let at = 0; run.violation === undefined; at++) {
      if (at === path.length && !this.#choose(run)) break;
      const choice = path[at] as Choice;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      choice.transition = await run.perform(choice.process, choice.alternative, at);
      this.#transitions++;
      if (at < fresh) continue;
      if (this.#options.reduction === "races") findRaces(path);
      const isNew = this.#isNew(run);
      if (!isNew && this.#options.reduction === "states" && this.#isHashable && run.violation === undefined) {
        this.#redundant++;
        this.#steps += run.world.step;
        return run;
      }
    }
    this.#steps += run.world.step;
    return run;
  }

  /** Makes the next choice of an execution. False if it is over. */
  #choose(run: ChoiceRun<System>): boolean {
    const path = this.#path;
    const { reduction, depth } = this.#options;
    const heads = run.heads();
    const enabled = new Map([...heads.keys()].map((process) => [process, run.alternatives(process)] as const));
    const before = path.at(-1);
    if (reduction === "races" && before !== undefined) findPrevented(before, heads);
    if (enabled.size === 0) {
      run.finish();
      this.#executions++;
      return false;
    }
    if (path.length >= depth) {
      this.#cut++;
      this.#executions++;
      return false;
    }
    const asleep = (reduction === "races" ? path.at(-1)?.asleepAfter() : undefined) ?? new Map<string, Touches>();
    const process = [...enabled.keys()].find((each) => !asleep.has(each));
    if (process === undefined) {
      this.#redundant++;
      return false;
    }
    const choice = new Choice(enabled, heads, asleep, process);
    if (reduction !== "races") for (const each of enabled.keys()) choice.wanted.add(each);
    path.push(choice);
    return true;
  }

  #isNew(run: ChoiceRun<System>): boolean {
    if (!this.#isHashable) return true;
    const hash = stateHash(run);
    if (hash === undefined) {
      this.#isHashable = false;
      return true;
    }
    const before = this.#states.size;
    this.#states.add(hash);
    return this.#states.size > before;
  }

  #result(isExhausted: boolean, violation: SearchResult["violation"]): SearchResult {
    return {
      executions: this.#executions + (violation === undefined ? 0 : 1),
      redundant: this.#redundant,
      transitions: this.#transitions,
      steps: this.#steps,
      states: this.#isHashable ? this.#states.size : undefined,
      isExhausted,
      cut: this.#cut,
      violation,
    };
  }
}

function choicesOf(path: readonly Choice[]): readonly ChoiceMade[] {
  return path
    .filter(({ transition }) => transition !== undefined)
    .map(({ enabled, process, alternative }) => ({
      index: [...enabled.keys()].indexOf(process),
      process,
      alternative,
    }));
}

/** Repeats an execution; choices that can't be made are an end. */
export async function repeatChoices<System>(
  exploration: Exploration<System>,
  choices: readonly { readonly index: number; readonly alternative: Alternative }[],
  options: {
    readonly budget: Budget;
    readonly machines: number | undefined;
    readonly recorder: TraceRecorder | undefined;
  },
): Promise<ChoiceRun<System>> {
  const run = await ChoiceRun.begin(exploration, options);
  for (const [number, { index, alternative }] of choices.entries()) {
    const process = run.enabled()[index];
    if (process === undefined || run.violation !== undefined) break;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await run.perform(process, alternative, number);
  }
  if (run.violation === undefined && run.enabled().length === 0) run.finish();
  return run;
}

const walks = 40;

/** How many orders there are in all, about: Knuth's estimate, by walks that choose at random. */
export async function estimateOrders<System>(
  exploration: Exploration<System>,
  { budget, machines, depth }: SearchOptions,
): Promise<number> {
  let sum = 0;
  for (let walk = 0; walk < walks; walk++) {
    const random = keyedRandom(walk, 11);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const run = await ChoiceRun.begin(exploration, { budget, machines, recorder: undefined });
    let product = 1;
    for (let at = 0; at < depth; at++) {
      const choices = run
        .enabled()
        .flatMap((process) => run.alternatives(process).map((alternative) => ({ process, alternative })));
      const chosen = choices[Math.floor(random() * choices.length)];
      if (chosen === undefined) break;
      product *= choices.length;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await run.perform(chosen.process, chosen.alternative, at);
    }
    sum += product;
  }
  return sum / walks;
}
