import type { Clock } from "../../core/seam/clock.ts";

/**
 * Whether something in the simulated world lives: what it set off happens while it runs, waits while it is paused, and never
 * happens once it is dead.
 */
export class Life {
  readonly #clock: Clock;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];
  #releasing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get dead(): boolean {
    return this.#state === "dead";
  }

  get paused(): boolean {
    return this.#state === "paused";
  }

  /** Calls back now, when it goes on, or never. */
  enter(callback: () => void): void {
    if (this.#state === "dead") return;
    // What came during a pause goes first.
    if (this.#state === "paused" || this.#held.length > 0) this.#held.push(callback);
    else callback();
  }

  /** The same for what a promise brings. */
  settle<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.enter(() => resolve(value)),
        (error: unknown) => this.enter(() => reject(error as Error)),
      );
    });
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#release();
  }

  end(): void {
    this.#state = "dead";
    this.#held = [];
  }

  /** What was held happens one after the other, each as an event of its own. */
  #release(): void {
    if (this.#releasing || this.#held.length === 0) return;
    this.#releasing = true;
    this.#clock.soon(() => {
      this.#releasing = false;
      if (this.#state !== "running") return;
      const next = this.#held.shift();
      this.#release();
      next?.();
    });
  }
}

/** The clock of one machine or slot: stops with its life, and has a wall of its own that may jump. */
export class LivingClock implements Clock {
  readonly #clock: Clock;
  readonly #life: Life;
  #jumpedMs = 0;
  /** What was worked takes until then. */
  #worksUntilMs = 0;

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  now(): number {
    return this.#clock.now() + this.#jumpedMs;
  }

  monotonic(): number {
    return Math.max(this.#clock.monotonic(), this.#worksUntilMs);
  }

  /** Its processor works for so many milliseconds: to those who ask now they have passed already. */
  work(ms: number): void {
    this.#worksUntilMs = this.monotonic() + ms;
  }

  /** Milliseconds until its processor has time for something else. */
  get workingMs(): number {
    return this.monotonic() - this.#clock.monotonic();
  }

  /** Sets the wall clock forward, or back where negative. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    if (this.#life.dead) return () => {};
    let cancelled = false;
    const cancel = this.#clock.after(delayMs, () => this.#life.enter(() => cancelled || callback()));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  soon(callback: () => void): void {
    if (!this.#life.dead) this.#clock.soon(() => this.#life.enter(callback));
  }
}
