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

  get counters(): ReadonlyMap<string, number> {
    return this.#counters;
  }
}
