import type { ExecutionState } from "./choice-run.ts";
import { stateHash } from "./state-text.ts";

// Hashes that are kept where orders are left out by them, and where they are only counted.
const keptMost = 2_000_000;
const countedMost = 100_000;

/** Which states of the world were met. */
export class VisitedStates {
  readonly #hashes = new Set<string>();
  readonly #most: number;
  /** Whether what can't be compared is met doesn't matter: others are compared all the same. */
  readonly #isNeeded: boolean;
  /** What of the time anybody has asked for. */
  readonly #asked = new Set<string>();
  #areAllCounted = true;

  /** @param isNeeded - orders are left out by them, and states aren't only counted */
  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
    this.#most = isNeeded ? keptMost : countedMost;
  }

  /** How many there were; undefined where some can't be compared, or there were too many. */
  get count(): number | undefined {
    return this.#areAllCounted ? this.#hashes.size : undefined;
  }

  /**
   * Time makes states differ where somebody asks for it, and only there.
   *
   * @returns true if somebody has asked for what nobody had before: states that were taken for the same so far may be different
   */
  learns({ medium }: Pick<ExecutionState, "medium">): boolean {
    const before = this.#asked.size;
    for (const what of medium.asked) this.#asked.add(what);
    if (this.#asked.size === before) return false;
    this.#hashes.clear();
    this.#areAllCounted = true;
    return true;
  }

  /** Some were counted as one that may be several. */
  countNone(): void {
    this.#areAllCounted = false;
  }

  /** What tells a state from all others, and whether it is met for the first time; undefined where that can't be said. */
  meet(run: ExecutionState): { readonly hash: string; readonly isNew: boolean } | undefined {
    if (!this.#areAllCounted && !this.#isNeeded) return undefined;
    const hash = stateHash(run, this.#asked);
    if (hash === undefined) {
      this.#areAllCounted = false;
      return undefined;
    }
    const isNew = !this.#hashes.has(hash);
    if (isNew && this.#hashes.size >= this.#most) this.#areAllCounted = false;
    else this.#hashes.add(hash);
    return { hash, isNew };
  }
}
