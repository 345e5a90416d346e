import type { Exploration } from "../exploration.ts";
import type { Violation } from "../invariants.ts";
import { ChoiceRun, type Alternative, type Budget } from "./choice-run.ts";
import { Choice, findPrevented, findRaces } from "./search-path.ts";
import type { Touches } from "./touches.ts";
import { VisitedStates } from "./visited-states.ts";

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
  /** Executions at most, with those that are given up. */
  readonly executions: number;
  readonly machines: number | undefined;
  /** Told after each execution how many there have been. */
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
  readonly steps: number;
  readonly handled: number;
  /** Different states that were met; undefined where states can't be compared, or were too many. */
  readonly states: number | undefined;
  /** True if every order was tried, or another that nobody can tell from it. */
  readonly isExhausted: boolean;
  /** Executions that were cut off: at the depth, or where they went round in a circle while something had yet to come to hold. */
  readonly cut: number;
  readonly violation: { readonly violation: Violation; readonly choices: readonly ChoiceMade[] } | undefined;
}

/** Tries all orders in which an exploration's messages and timers may come, and all ways in which a bounded number of faults may strike. */
export function searchAll<System>(exploration: Exploration<System>, options: SearchOptions): Promise<SearchResult> {
  return new Search(exploration, options).run();
}

// Executions after which a search isn't begun anew only to count states.
const anewMost = 1000;

class Search<System> {
  readonly #exploration: Exploration<System>;
  readonly #options: SearchOptions;
  readonly #path: Choice[] = [];
  #states: VisitedStates;
  #executions = 0;
  #redundant = 0;
  #steps = 0;
  #handled = 0;
  #cut = 0;

  constructor(exploration: Exploration<System>, options: SearchOptions) {
    this.#exploration = exploration;
    this.#options = options;
    this.#states = new VisitedStates(options.reduction === "states");
  }

  async run(): Promise<SearchResult> {
    const path = this.#path;
    let fresh = 0;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one execution after the other
      const run = await this.#execute(fresh);
      const tried = this.#executions + this.#redundant;
      this.#options.onExecution?.(tried);
      const { violation } = run;
      if (violation !== undefined) return this.#result(false, { violation, choices: choicesOf(path) });
      if (this.#states.learns(run)) {
        if (this.#options.reduction === "states" || tried <= anewMost) {
          this.#beginAnew();
          fresh = 0;
          continue;
        }
        this.#states.countNone();
      }
      for (let last = path.at(-1); last !== undefined && !last.advance(); last = path.at(-1)) path.pop();
      if (path.length === 0) return this.#result(this.#cut === 0, undefined);
      if (tried >= this.#options.executions) return this.#result(false, undefined);
      fresh = path.length - 1;
    }
  }

  #beginAnew(): void {
    this.#path.length = 0;
    this.#executions = 0;
    this.#redundant = 0;
    this.#cut = 0;
  }

  /** @param fresh - the first choice that wasn't made so before */
  async #execute(fresh: number): Promise<ChoiceRun<System>> {
    const { budget, machines, reduction } = this.#options;
    const path = this.#path;
    const run = await ChoiceRun.begin(this.#exploration, { budget, machines, recorder: undefined });
    const first = fresh === 0 ? this.#states.meet(run)?.hash : undefined;
    for (let at = 0; run.violation === undefined; at++) {
      if (at === path.length && !this.#choose(run)) break;
      const choice = path[at] as Choice;
      if (at === fresh) choice.heads = run.heads();
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      choice.transition = await run.perform(choice.process, choice.alternative, at);
      if (at < fresh) continue;
      if (reduction === "races") findRaces(path);
      const met = run.violation === undefined ? this.#states.meet(run) : undefined;
      if (met?.isNew === false && reduction === "states") {
        this.#giveUp(run, met.hash === first || path.some(({ state }) => state === met.hash));
        break;
      }
      choice.state = met?.hash;
    }
    this.#steps += run.world.step;
    this.#handled += run.world.handled;
    return run;
  }

  /** @param isCircle - the execution has come back to a state of its own: it could go on so for ever */
  #giveUp({ pending }: Pick<ChoiceRun<System>, "pending">, isCircle: boolean): void {
    this.#redundant++;
    if (isCircle && pending.length > 0) this.#cut++;
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

  #result(isExhausted: boolean, violation: SearchResult["violation"]): SearchResult {
    return {
      executions: this.#executions + (violation === undefined ? 0 : 1),
      redundant: this.#redundant,
      steps: this.#steps,
      handled: this.#handled,
      states: this.#states.count,
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
