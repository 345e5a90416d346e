import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ActorReference } from "../hosts/actor-host.ts";

/** What an execution has of a slot. */
interface Share {
  /** Milliseconds that its turns have taken, as far as that counts against others. */
  usedMs: number;
  readonly waiting: (ActorReference<"turn"> | undefined)[];
}

// Turns that take no time that can be measured are counted, too.
const turnMsLeast = 0.005;

/**
 * Deals the time of a slot to its executions: all that have something to do get the same, however many channels they have, and
 * however long their tasks take. Where there is one execution only, its channels take their turns as they come.
 */
export class FairTurns {
  readonly #clock: Clock;
  readonly #shares = new Map<string, Share>();
  /** What whoever had the last turn had used by then: an execution that comes, or comes back, begins there. */
  #reachedMs = 0;
  #isDealing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A channel of an execution wants a turn. */
  want(execution: string, actor: ActorReference<"turn"> | undefined): void {
    const share = this.#shareOf(execution);
    if (this.#shares.size === 1 && share.waiting.length === 0) {
      actor?.tell("turn");
      return;
    }
    // What it didn't use while it had nothing to do is no claim on others.
    if (share.waiting.length === 0) share.usedMs = Math.max(share.usedMs, this.#reachedMs);
    share.waiting.push(actor);
    this.#dealSoon();
  }

  /** Takes a turn, and counts its time where there is somebody else. */
  take<T>(execution: string, turn: () => T): T {
    const share = this.#shares.size < 2 ? undefined : this.#shares.get(execution);
    if (share === undefined) return turn();
    const from = this.#clock.monotonic();
    try {
      return turn();
    } finally {
      share.usedMs += this.#clock.monotonic() - from;
    }
  }

  /** An execution is over here. */
  leave(execution: string): void {
    this.#shares.delete(execution);
  }

  #shareOf(execution: string): Share {
    let share = this.#shares.get(execution);
    if (share === undefined) this.#shares.set(execution, (share = { usedMs: this.#reachedMs, waiting: [] }));
    return share;
  }

  #dealSoon(): void {
    if (this.#isDealing) return;
    this.#isDealing = true;
    this.#clock.soon(() => {
      this.#isDealing = false;
      // One after the other: who has just had a turn, and has only one channel, may have claim to the next.
      if (this.#deal()) this.#dealSoon();
    });
  }

  /** Gives a turn to whoever has had least. False where nobody wants one. */
  #deal(): boolean {
    let chosen: Share | undefined;
    for (const share of this.#shares.values()) {
      if (share.waiting.length > 0 && (chosen === undefined || share.usedMs < chosen.usedMs)) chosen = share;
    }
    if (chosen === undefined) return false;
    this.#reachedMs = Math.max(this.#reachedMs, chosen.usedMs);
    chosen.usedMs += turnMsLeast;
    chosen.waiting.shift()?.tell("turn");
    return true;
  }
}
