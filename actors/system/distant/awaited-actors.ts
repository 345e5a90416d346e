import { madeElsewhere } from "../reference.ts";

const waitingMax = 100_000;

/**
 * Actors of this node that others start: a reference may go from whoever starts one to somebody else, and what that one sends be here
 * before the order to start it. Who starts actors numbers them, and its orders come in their order: so it is known which are to come.
 */
export class AwaitedActors {
  readonly #canReach: (life: number) => boolean;
  /** The last number of each node that starts actors here. */
  readonly #last = new Map<number, number>();
  /** What is to be done once an actor is there, by its number. */
  readonly #waiting = new Map<number, (() => void)[]>();
  #count = 0;

  constructor(canReach: (life: number) => boolean) {
    this.#canReach = canReach;
  }

  /** Does something with an actor: once it is there, where it is to come; else at once. */
  whenMade(id: number, action: () => void): void {
    const made = madeElsewhere(id);
    const isToCome = made !== undefined && this.#canReach(made.life) && made.count > (this.#last.get(made.life) ?? 0);
    if (!isToCome || this.#count >= waitingMax) {
      action();
      return;
    }
    this.#count++;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) this.#waiting.set(id, [action]);
    else waiting.push(action);
  }

  /** An actor has been started, or couldn't be. */
  made(id: number): void {
    const made = madeElsewhere(id);
    if (made !== undefined) this.#last.set(made.life, made.count);
    this.#take(id);
  }

  /** A node is lost: what it was to start doesn't come. */
  lost(life: number): void {
    for (const id of this.#waiting.keys()) if (madeElsewhere(id)?.life === life) this.#take(id);
    this.#last.delete(life);
  }

  #take(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    this.#count -= waiting.length;
    for (const action of waiting) action();
  }
}
