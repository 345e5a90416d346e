import type { Clock } from "../../lib/core/seam/clock.ts";

// A slot starts in less, also on a machine that has much to do. What waits any longer goes to the slots that there are.
const mostMs = 5000;

/**
 * Slots that are being started in place of lost ones. A host of actors waits for them: where it goes its actors stay, since their
 * state doesn't outlive a move.
 */
export class AwaitedSlots {
  readonly #clock: Clock;
  readonly #over: () => void;
  #count = 0;
  #cancel: (() => void) | undefined;

  /** @param over - nothing is waited for any more */
  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  get isWaiting(): boolean {
    return this.#count > 0;
  }

  /** So many slots are lost, and each is going to be replaced, or said not to be. */
  expect(count: number): void {
    this.#cancel?.();
    this.#count += count;
    this.#cancel = this.#clock.after(mostMs, () => this.#end());
  }

  /** A slot was added, or couldn't be. */
  came(): void {
    if (this.#count > 0 && --this.#count === 0) this.#end();
  }

  #end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#count = 0;
    this.#over();
  }
}
