/** Counts of what the actors of a system have done. */
export interface ActorMetrics {
  /** How many live. */
  readonly actors: number;
  readonly spawned: number;
  readonly ended: number;
  /** Messages handled, and states made. */
  readonly handled: number;
  readonly failed: number;
  readonly restarted: number;
  readonly deadLetters: number;
  readonly dropped: number;
  /** What actors counted by `ctx.count`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What the actors of a slot have done so far. */
export class NodeMetrics {
  spawned = 0;
  ended = 0;
  handled = 0;
  failed = 0;
  restarted = 0;
  deadLetters = 0;
  /** Messages that full mailboxes dropped; they are among the dead letters. */
  dropped = 0;
  readonly #counters = new Map<string, number>();

  count(name: string, amount: number): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + amount);
  }

  get counters(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counters);
  }

  /** As data that can be sent. */
  counts(): ActorMetrics {
    const { spawned, ended, handled, failed, restarted, deadLetters, dropped, counters } = this;
    return { actors: spawned - ended, spawned, ended, handled, failed, restarted, deadLetters, dropped, counters };
  }
}
