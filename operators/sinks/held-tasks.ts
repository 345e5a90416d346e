/** What a task wrote, until it is delivered. */
export interface HeldTask {
  /** `ctx.seq` of the task. */
  readonly seq: number;
}

const tasksMost = 8;

/**
 * Holds what tasks of a sink's channel wrote until the log has them, and then delivers it, task by task. Before that, a lost slot
 * makes other objects out of the same seq; from then on a seq has the same objects for good, so that who is given both can tell
 * what it has.
 */
export class HeldTasks<Task extends HeldTask> {
  readonly #deliver: (task: Task) => Promise<void>;
  readonly #signal: AbortSignal;
  /** Tasks that the log doesn't have yet. */
  readonly #held: Task[] = [];
  #delivered: Promise<void> = Promise.resolve();
  /** Tasks that are held, or on their way. */
  #open = 0;
  #failed = false;
  #wake: (() => void) | undefined;

  /**
   * @param deliver - is called for one task after the other. What it rejects with, `committed` and all that waits reject with
   * @param signal - aborted when the execution ends early: nothing is waited for any more
   */
  constructor(deliver: (task: Task) => Promise<void>, signal: AbortSignal) {
    this.#deliver = deliver;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  /** Resolves once another task may be held: until then the stream is held back. */
  room(): Promise<void> {
    return this.#until(() => this.#open < tasksMost);
  }

  /** Holds a task. */
  hold(task: Task): void {
    this.#open++;
    this.#held.push(task);
  }

  /** The log has all tasks up to this one. Resolves when they are delivered. */
  committed(seq: number): Promise<void> {
    for (let task = this.#held[0]; task !== undefined && task.seq <= seq; task = this.#held[0]) {
      this.#held.shift();
      const next = task;
      this.#delivered = this.#delivered.then(() => this.#take(next));
    }
    return this.#delivered;
  }

  /** Resolves once nothing is held or on its way. */
  delivered(): Promise<void> {
    return this.#until(() => this.#open === 0);
  }

  async #take(task: Task): Promise<void> {
    try {
      await this.#deliver(task);
      this.#open--;
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      this.#wake?.();
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!this.#failed && !holds()) {
      this.#signal.throwIfAborted();
      // oxlint-disable-next-line no-await-in-loop -- until it holds
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    // It rejects after what `committed` gave, which says of which task: whoever was given that hears of it first.
    if (this.#failed) await this.#delivered;
  }
}
