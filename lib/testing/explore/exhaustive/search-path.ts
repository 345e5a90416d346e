import type { Alternative, Transition } from "./choice-run.ts";
import { isCrash, isSparing } from "./machine-crashes.ts";
import { Touches } from "./touches.ts";

/** A choice on the way of an execution: which processes could be gone on with there, and which have been. */
export class Choice {
  /** What each process could do. */
  readonly enabled: ReadonlyMap<string, readonly Alternative[]>;
  /** Processes that are to be tried here. */
  readonly wanted = new Set<string>();
  /** Processes that needn't be tried any more here, and what they touch. */
  readonly asleep: Map<string, Touches>;
  /** What each process would do first, in the execution of now: the same where it is the same message or timer. */
  heads: ReadonlyMap<string, object>;
  process: string;
  transition: Transition | undefined = undefined;
  /** What tells the state behind it from others, where that can be said. */
  state: string | undefined = undefined;
  /** Numbers of the transitions without which it wouldn't have been made so: bits. */
  after = 0n;
  #alternative = 0;
  #tried = new Touches();

  constructor(
    enabled: ReadonlyMap<string, readonly Alternative[]>,
    heads: ReadonlyMap<string, object>,
    asleep: Map<string, Touches>,
    process: string,
  ) {
    this.enabled = enabled;
    this.heads = heads;
    this.asleep = asleep;
    this.process = process;
    this.wanted.add(process);
  }

  get alternative(): Alternative {
    return this.enabled.get(this.process)?.[this.#alternative] ?? "come";
  }

  /** Goes on to what is to be tried next here. False if there is nothing. */
  advance(): boolean {
    if (this.transition !== undefined) this.#tried.add(this.transition.touches);
    this.#alternative++;
    if (this.#alternative < (this.enabled.get(this.process)?.length ?? 1)) return true;
    this.asleep.set(this.process, this.#tried);
    this.#tried = new Touches();
    this.#alternative = 0;
    for (const process of this.wanted) {
      if (this.asleep.has(process)) continue;
      this.process = process;
      return true;
    }
    return false;
  }

  /** What is asleep behind the transition: what that doesn't meet. */
  asleepAfter(): Map<string, Touches> {
    const { transition } = this;
    if (transition === undefined) return new Map();
    return new Map([...this.asleep].filter(([, touches]) => !touches.meets(transition.touches)));
  }
}

/**
 * What a transition took from others, as a timer that it cancelled, never comes to race with it: it is to be tried before it.
 *
 * @param heads - what each process would do first behind the transition
 */
export function findPrevented({ process, heads: before, wanted }: Choice, heads: ReadonlyMap<string, object>): void {
  // Where nothing else is left to do, one machine after the other is asked whether it crashes.
  const isAskedLater = [...heads.keys()].some(isSparing);
  for (const [other, head] of before) {
    if (other === process || heads.get(other) === head) continue;
    if (!isCrash(other) || !isAskedLater || isSparing(process)) wanted.add(other);
  }
}

/**
 * Looks which transitions of an execution are in a race with the last one, and has the choices before them try the other order: source
 * sets of Abdulla, Aronsson, Jonsson and Sagonas, "Optimal dynamic partial order reduction", 2014.
 */
export function findRaces(path: readonly Choice[]): void {
  const last = path.length - 1;
  const choice = path[last];
  const transition = choice?.transition;
  if (choice === undefined || transition === undefined) return;
  const races: number[] = [];
  let after = withAll(path, transition.madeBy);
  for (let index = last - 1; index >= 0; index--) {
    const earlier = path[index] as Choice;
    const bit = 1n << BigInt(index);
    const isSame = earlier.process === choice.process;
    if (!isSame && earlier.transition?.touches.meets(transition.touches) !== true) continue;
    if ((after & bit) === 0n && !isSame) races.push(index);
    after |= bit | earlier.after;
  }
  choice.after = after;
  for (const index of races) reverse(path, index, last);
}

function withAll(path: readonly Choice[], madeBy: number): bigint {
  return madeBy < 0 ? 0n : (1n << BigInt(madeBy)) | (path[madeBy]?.after ?? 0n);
}

/** Has a choice try what would come first if the race were won by the other one. */
function reverse(path: readonly Choice[], first: number, last: number): void {
  const choice = path[first] as Choice;
  const bit = 1n << BigInt(first);
  // What comes between the two and doesn't depend on the first, and then the second.
  const between: number[] = [];
  for (let index = first + 1; index < last; index++) {
    const each = path[index] as Choice;
    if ((each.after & bit) === 0n && !isSparing(each.process)) between.push(index);
  }
  between.push(last);
  const bits = between.reduce((sum, index) => sum | (1n << BigInt(index)), 0n);
  const initials = new Set<string>();
  const met = new Set<string>();
  for (const index of between) {
    const each = path[index] as Choice;
    if (!met.has(each.process) && (each.after & bits) === 0n) initials.add(each.process);
    met.add(each.process);
  }
  for (const process of initials) if (choice.wanted.has(process)) return;
  const process = [...initials].find((each) => choice.enabled.has(each));
  if (process !== undefined) choice.wanted.add(process);
  // Something that was done in between made it possible: all are tried.
  else for (const each of choice.enabled.keys()) choice.wanted.add(each);
}
