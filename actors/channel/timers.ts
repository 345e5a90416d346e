import type { Timers } from "../../lib/core/contracts/context.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { TimerQueue, type QueuedTimer } from "./timer-queue.ts";

/** A timer that is to go off: its name, and when, in milliseconds since 1970. */
export type PendingTimer = readonly [name: string, at: number];

/** What became of a timer: when it goes off now, or undefined if it doesn't any more. */
export type TimerChange = readonly [name: string, at: number | undefined];

const nameMax = 256;
/** Clocks take no longer delays. One that is longer is waited for in parts. */
const delayMax = 2 ** 31 - 1;

export interface ChannelTimersParts {
  readonly clock: Pick<Clock, "now" | "monotonic" | "after">;
  /** How many may be pending. */
  readonly max: number;
  /** What user code is told of the time. */
  readonly now: () => number;
  /** Throws where user code may set no timers. */
  readonly refuse: () => void;
}

/**
 * The pending timers of a channel: which there are, and when each goes off, follows from its tasks. Only the wait for the first of
 * them is the clock's.
 */
export class ChannelTimers implements Timers {
  readonly #parts: ChannelTimersParts;
  readonly #pending = new Map<string, QueuedTimer>();
  readonly #queue = new TimerQueue((timer) => this.#pending.get(timer.name) === timer);
  /** Names of those that were set, cleared or went off since the last checkpoint; undefined while nobody asks. */
  #touched: Set<string> | undefined;
  #over = false;
  #wait: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(parts: ChannelTimersParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#pending.size;
  }

  set(name: string, afterMs: number): void {
    const { clock, max, now, refuse } = this.#parts;
    refuse();
    checkName(name);
    checkDelay(name, afterMs);
    // None goes off any more.
    if (this.#over) return;
    if (this.#pending.size >= max && !this.#pending.has(name)) throw tooMany(name, max);
    const at = now() + afterMs;
    // The clock may have been set back since the task began.
    this.#add(name, at, Math.min(afterMs, at - clock.now()));
  }

  clear(name: string): boolean {
    this.#parts.refuse();
    return this.#remove(name);
  }

  has(name: string): boolean {
    return this.#pending.has(name);
  }

  /** The first timer whose time has come. */
  due(): string | undefined {
    const first = this.#queue.first();
    return first !== undefined && first.dueMs <= this.#parts.clock.monotonic() ? first.name : undefined;
  }

  /**
   * A timer goes off.
   *
   * @returns when it was to; undefined where none of this name is pending
   */
  goOff(name: string): number | undefined {
    const at = this.#pending.get(name)?.at;
    this.#remove(name);
    return at;
  }

  /** Calls back once the first timer's time may have come. It may be asked again for another one meanwhile. */
  wait(callback: () => void): void {
    const first = this.#queue.first();
    // One who is called too early waits again.
    if (first === undefined || (this.#wait !== undefined && this.#wait.dueMs <= first.dueMs)) return;
    this.#wait?.cancel();
    const { clock } = this.#parts;
    const delayMs = Math.min(delayMax, Math.max(0, Math.ceil(first.dueMs - clock.monotonic())));
    const cancel = clock.after(delayMs, () => {
      this.#wait = undefined;
      callback();
    });
    this.#wait = { dueMs: first.dueMs, cancel };
  }

  /** All of them, the next one first. */
  list(): PendingTimer[] {
    const timers = [...this.#pending.values()].toSorted((a, b) => a.at - b.at || a.order - b.order);
    return timers.map(({ name, at }) => [name, at]);
  }

  /** What became of timers since the last checkpoint. */
  changes(): TimerChange[] {
    if (this.#touched === undefined) return this.list();
    return [...this.#touched].map((name) => [name, this.#pending.get(name)?.at]);
  }

  /**
   * A checkpoint was taken.
   *
   * @param goesOn - whether the next one may hold only what changes from now on
   */
  saved(goesOn: boolean): void {
    this.#touched = goesOn ? new Set() : undefined;
  }

  /** There are these, and no others. */
  restore(timers: readonly TimerChange[]): void {
    this.#pending.clear();
    this.apply(timers);
  }

  /** Takes what became of timers since another checkpoint. */
  apply(changes: readonly TimerChange[]): void {
    const now = this.#parts.clock.now();
    for (const [name, at] of changes) {
      if (at === undefined) this.#remove(name);
      else this.#add(name, at, at - now);
    }
  }

  /** None goes off any more. */
  stop(): void {
    this.#over = true;
    this.#pending.clear();
    this.#queue.clear();
    this.#wait?.cancel();
    this.#wait = undefined;
  }

  /** @param leftMs - how long it still takes; the clock of the wall may jump, and that doesn't */
  #add(name: string, at: number, leftMs: number): void {
    const timer = this.#queue.add(name, at, this.#parts.clock.monotonic() + leftMs);
    this.#pending.set(name, timer);
    this.#queue.compact(this.#pending.size);
    this.#touched?.add(name);
  }

  #remove(name: string): boolean {
    if (!this.#pending.delete(name)) return false;
    this.#queue.compact(this.#pending.size);
    this.#touched?.add(name);
    return true;
  }
}

function checkName(name: string): void {
  // What is no Unicode text would be another name once it is in the log.
  if (typeof name === "string" && name.length <= nameMax && !/\p{Surrogate}/u.test(name)) return;
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, 40)) : String(name);
  throw new QStreamError("OPTION_INVALID", `${shown} is no name of a timer`, {
    advice: `Names are texts of up to ${nameMax} characters`,
  });
}

function checkDelay(name: string, afterMs: number): void {
  if (typeof afterMs === "number" && afterMs >= 0 && afterMs < Infinity) return;
  throw new QStreamError("OPTION_INVALID", `the timer "${name}" can't be set for ${String(afterMs)} ms from now`, {
    advice: "Give a number of milliseconds from 0 on, counted from ctx.now()",
  });
}

function tooMany(name: string, max: number): QStreamError {
  return new QStreamError("LIMIT_EXCEEDED", `the timer "${name}" is one too many: ${max} are pending in this channel`, {
    advice:
      "Set one timer for the earliest of many times, and keep these yourself; or use more channels, or raise the limit: the execution's limits.timers",
  });
}
