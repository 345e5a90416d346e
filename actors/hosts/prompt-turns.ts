import type { ActorReference } from "./actor-host.ts";

/** Turns between two of the host that are taken without it. */
const promptTurnsMost = 32;

/**
 * Turns for what comes to be ready soon after a turn, as the answer does that a handler waits for: they are taken as soon as the
 * promises of the turn before are settled, and only after some of them the host is asked for the next, which lets timers and sockets in between.
 */
export class PromptTurns {
  readonly #actor: ActorReference<"turn">;
  readonly #take: () => boolean;
  #left = 0;

  /**
   * @param actor - is told when the host shall give a turn, and calls `given` then
   * @param take - takes a turn; true if there is more to do
   */
  constructor(actor: ActorReference<"turn">, take: () => boolean) {
    this.#actor = actor;
    this.#take = take;
  }

  /** Somebody has something to do, and nobody had. */
  want(): void {
    if (this.#left === 0) this.#actor.tell("turn");
    else {
      this.#left--;
      queueMicrotask(() => this.#turn());
    }
  }

  /** The host gives a turn. */
  given(): void {
    this.#left = promptTurnsMost;
    this.#turn();
  }

  #turn(): void {
    if (this.#take()) this.#actor.tell("turn");
  }
}
