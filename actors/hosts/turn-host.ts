import type { Random } from "../../lib/core/seam/random.ts";
import type { ActorBehavior, ActorHost, ActorReference } from "./actor-host.ts";

interface Hosted {
  readonly mailbox: unknown[];
  readonly behavior: ActorBehavior<unknown>;
  busy: boolean;
  stopped: boolean;
}

/**
 * Hosts actors on a loop of its own in which a seeded generator chooses who takes the next turn, so that an interleaving of
 * actors can be had again from its seed. Same contract as the nact host.
 */
export class TurnHost implements ActorHost {
  readonly #random: Random;
  readonly #schedule: (turns: () => void) => void;
  readonly #ready: Hosted[] = [];
  #scheduled = false;
  #deadLetters = 0;
  #closed = false;

  /** `schedule` runs a callback soon, after what is running now; turns are taken in it. */
  constructor(random: Random, schedule: (turns: () => void) => void) {
    this.#random = random;
    this.#schedule = schedule;
  }

  get deadLetters(): number {
    return this.#deadLetters;
  }

  spawn<Message>(name: string, behavior: ActorBehavior<Message>): ActorReference<Message> {
    const hosted: Hosted = { mailbox: [], behavior: behavior as ActorBehavior<unknown>, busy: false, stopped: false };
    return {
      name,
      tell: (message) => {
        if (hosted.stopped || this.#closed) {
          this.#deadLetters++;
          return;
        }
        hosted.mailbox.push(message);
        if (hosted.mailbox.length === 1 && !hosted.busy) this.#makeReady(hosted);
      },
      stop: () => this.#end(hosted),
    };
  }

  close(): void {
    this.#closed = true;
    this.#ready.length = 0;
  }

  #end(hosted: Hosted): void {
    hosted.stopped = true;
    this.#deadLetters += hosted.mailbox.length;
    hosted.mailbox.length = 0;
  }

  #makeReady(hosted: Hosted): void {
    this.#ready.push(hosted);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#scheduled = false;
    const chosen = Math.floor(this.#random() * this.#ready.length);
    const hosted = this.#ready[chosen];
    if (hosted === undefined) return;
    this.#ready[chosen] = this.#ready.at(-1) ?? hosted;
    this.#ready.pop();
    this.#handle(hosted);
    if (this.#ready.length > 0 && !this.#scheduled) {
      this.#scheduled = true;
      this.#schedule(() => this.#takeTurn());
    }
  }

  #handle(hosted: Hosted): void {
    if (hosted.stopped || hosted.mailbox.length === 0) return;
    const message = hosted.mailbox.shift();
    const next = (): void => {
      hosted.busy = false;
      if (!hosted.stopped && hosted.mailbox.length > 0) this.#makeReady(hosted);
    };
    const crash = (error: unknown): void => {
      if (hosted.stopped) return;
      this.#end(hosted);
      hosted.behavior.crashed(error);
    };
    hosted.busy = true;
    try {
      const handled = hosted.behavior.receive(message);
      if (handled === undefined) next();
      else handled.then(next, crash);
    } catch (error) {
      crash(error);
    }
  }
}
