import type { Clock } from "../../../../lib/core/seam/clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock whose time passes when it is told to. */
export class SteppedClock implements Clock {
  time: number;
  readonly #timers = new Set<Timer>();
  #soon: (() => void)[] = [];

  constructor(time: number) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.time + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  get hasSoon(): boolean {
    return this.#soon.length > 0;
  }

  get hasTimers(): boolean {
    return this.#timers.size > 0;
  }

  runSoon(): void {
    for (const callback of this.#soon.splice(0)) callback();
  }

  /** Goes on to the next timer, which goes off. */
  runTimer(): void {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    if (next === undefined) return;
    this.#timers.delete(next);
    this.time = Math.max(this.time, next.at);
    next.callback();
  }

  /** When the next timer goes off. */
  get nextAt(): number {
    return Math.min(Infinity, ...[...this.#timers].map(({ at }) => at));
  }

  /** What was to come never does. */
  stop(): void {
    this.#timers.clear();
    this.#soon = [];
  }
}
