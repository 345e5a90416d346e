import type { SlowTask } from "./execution-events.ts";
import type { ExecutionRecord } from "./execution-record.ts";

/** How long nothing has to end, anywhere in an execution, until a task that runs is called slow. */
const slowMs = 10_000;
/** Slots report many times a second where user code awaits something: one that doesn't may be at anything. */
const heardMs = 2000;

/** Tells which user code is waited for where an execution doesn't get on: a promise may never be settled. */
export class SlowTasks {
  readonly #heard = new Map<string, number>();
  /** The slow task of a channel, and since when nothing has ended. */
  readonly #known = new Map<string, { readonly task: number; readonly since: number }>();
  #pulse = -1;
  #stillSince = 0;
  #lookedAt = 0;

  /**
   * A slot reported.
   *
   * @param now - monotonic milliseconds
   * @returns the tasks that are waited for, and those of them that weren't told before
   */
  look(
    slot: string,
    record: Pick<ExecutionRecord, "pulse" | "awaited">,
    now: number,
  ): { readonly tasks: readonly SlowTask[]; readonly fresh: readonly SlowTask[] } {
    // Nobody could look in a recovery, or while the whole process stood still.
    const unseen = now - this.#lookedAt > heardMs;
    this.#lookedAt = now;
    this.#heard.set(slot, now);
    const pulse = record.pulse();
    if (pulse !== this.#pulse || unseen) this.#stillSince = now;
    this.#pulse = pulse;
    if (now - this.#stillSince < slowMs) return nothing;
    const tasks: SlowTask[] = [];
    const fresh: SlowTask[] = [];
    for (const { task, ...place } of record.awaited()) {
      if (now - (this.#heard.get(place.slot) ?? -Infinity) > heardMs) continue;
      const key = `${place.channel} ${place.step}`;
      const known = this.#known.get(key);
      const since = known?.task === task ? known.since : this.#stillSince;
      const slow = { ...place, ...(task < 0 ? {} : { seq: task }), waitMs: now - since };
      tasks.push(slow);
      if (known?.task === task) continue;
      fresh.push(slow);
      this.#known.set(key, { task, since });
    }
    return { tasks, fresh };
  }
}

const nothing = { tasks: [], fresh: [] } as const;
