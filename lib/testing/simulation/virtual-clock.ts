import type { Clock } from "../../core/seam/clock.ts";
import type { Random } from "../../core/seam/random.ts";
import { EventQueue, type Event } from "./event-queue.ts";

export interface VirtualClockOptions {
  /** Orders events of the same time. */
  readonly random: Random;
  /** Milliseconds since 1970 at which the world begins. */
  readonly startAt?: number;
  /** Events without any time passing after which the world is said to run in a circle. */
  readonly eventsAtOnceMax?: number;
  /** Milliseconds of real time for which a promise is waited for though nothing is left to do. */
  readonly graceMs?: number;
  /** Makes the error of a run in which a promise is waited for and nothing is left to do; `what` is what is known of it. */
  readonly stuck?: (what: string) => Error;
}

/** How far a clock runs: until a promise settles, until a time, or (with neither) until nothing is left to do. */
export interface RunUntil {
  readonly settled?: Promise<unknown>;
  /** Milliseconds of virtual time, as `monotonic` counts them. */
  readonly ms?: number;
}

export type RunEnd = "settled" | "time" | "idle";

interface Awaited {
  settled: boolean;
  deliver: () => void;
}

interface Run {
  readonly until: RunUntil;
  settled: boolean;
  over: boolean;
  idleTurns: number;
  idleSince: number;
  readonly end: (how: RunEnd) => void;
  readonly fail: (error: unknown) => void;
}

const startDefault = Date.UTC(2026, 0, 1);
const eventsAtOnceDefault = 1_000_000;
const graceDefault = 6000;
// Turns of the real event loop that are on their way at once: Node finishes microtasks between any two of them, and one
// at a time would poll for input between them.
const turnsAhead = 32;
// Real turns without anything to do before the clock asks how long that has been so.
const idleTurnsMin = 2000;

/**
 * Time that passes only when nothing is left to do before it. Events run in the order of their times, those of one time in
 * an order that the seed decides, and after each one all microtasks finish. One thread, no waiting.
 */
export class VirtualClock implements Clock {
  readonly #random: Random;
  readonly #startAt: number;
  readonly #eventsAtOnceMax: number;
  readonly #graceMs: number;
  readonly #stuck: (what: string) => Error;
  readonly #queue = new EventQueue();
  #awaited: Awaited[] = [];
  #nowMs = 0;
  #jumpedMs = 0;
  #count = 0;
  #eventsAtOnce = 0;
  #events = 0;
  #run: Run | undefined;

  constructor(options: VirtualClockOptions) {
    this.#random = options.random;
    this.#startAt = options.startAt ?? startDefault;
    this.#eventsAtOnceMax = options.eventsAtOnceMax ?? eventsAtOnceDefault;
    this.#graceMs = options.graceMs ?? graceDefault;
    this.#stuck = options.stuck ?? ((what) => new Error(what));
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  /** Events that are still to happen. */
  get pending(): number {
    return this.#queue.size;
  }

  now(): number {
    return Math.floor(this.#startAt + this.#jumpedMs + this.#nowMs);
  }

  monotonic(): number {
    return this.#nowMs;
  }

  /** Sets the wall clock forward, or back where negative. Timers and `monotonic` don't notice. */
  jump(byMs: number): void {
    this.#jumpedMs += byMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const delay = delayMs > 0 ? delayMs : 0;
    // A timer that never fires is none.
    if (delay === Infinity) return () => {};
    const event: Event = { atMs: this.#nowMs + delay, tie: this.#random(), number: this.#count++, callback };
    this.#queue.add(event);
    return () => this.#queue.cancel(event);
  }

  soon(callback: () => void): void {
    this.#queue.add({ atMs: this.#nowMs, tie: this.#random(), number: this.#count++, callback });
  }

  /**
   * Does something in the real world (reads a file) while time stands still. What is done at once ends in the order in
   * which it was begun, however long each takes.
   */
  real<T>(action: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const awaited: Awaited = { settled: false, deliver: () => {} };
      this.#awaited.push(awaited);
      const settle = (deliver: () => void): void => {
        awaited.deliver = deliver;
        awaited.settled = true;
      };
      action().then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error as Error)),
      );
    });
  }

  /**
   * Lets time pass.
   *
   * @returns why it stopped
   * @throws the error of an event that threw; an Error where a promise is waited for and nothing is left that could settle
   * it, or where events follow each other without any time passing
   */
  run(until: RunUntil = {}): Promise<RunEnd> {
    if (this.#run !== undefined) throw new Error("the virtual clock runs already");
    return new Promise((resolve, reject) => {
      const over = (): void => {
        run.over = true;
        this.#run = undefined;
      };
      const run: Run = {
        until,
        settled: false,
        over: false,
        idleTurns: 0,
        idleSince: 0,
        end: (how) => {
          over();
          resolve(how);
        },
        fail: (error) => {
          over();
          reject(error as Error);
        },
      };
      this.#run = run;
      const settled = (): void => void (run.settled = true);
      until.settled?.then(settled, settled);
      const turn = (): void => {
        if (run.over) return;
        this.#turn(run);
        setImmediate(turn);
      };
      for (let ahead = 0; ahead < turnsAhead; ahead++) setImmediate(turn);
    });
  }

  /** Ends the present run with an error. */
  fail(error: unknown): void {
    this.#run?.fail(error);
  }

  #turn(run: Run): void {
    if (run.settled) {
      run.end("settled");
      return;
    }
    if (this.#awaited.length > 0) {
      this.#deliverReal(run);
      return;
    }
    const event = this.#queue.peek();
    const { ms, settled } = run.until;
    if (event === undefined) {
      if (settled !== undefined) this.#idle(run);
      else run.end(this.#passUntil(ms));
    } else if (ms !== undefined && event.atMs > ms) run.end(this.#passUntil(ms));
    else this.#happen(run, event);
  }

  #happen(run: Run, event: Event): void {
    this.#queue.take();
    if (event.atMs > this.#nowMs) {
      this.#nowMs = event.atMs;
      this.#eventsAtOnce = 0;
    } else if (++this.#eventsAtOnce > this.#eventsAtOnceMax) {
      run.fail(new Error(`${this.#eventsAtOnceMax} events followed each other at ${this.#nowMs} ms: no time passes`));
      return;
    }
    run.idleTurns = 0;
    this.#events++;
    const { callback } = event;
    event.callback = undefined;
    try {
      callback?.();
    } catch (error) {
      run.fail(error);
    }
  }

  #passUntil(ms: number | undefined): RunEnd {
    if (ms === undefined) return "idle";
    this.#nowMs = Math.max(this.#nowMs, ms);
    return "time";
  }

  #deliverReal(run: Run): void {
    if (!this.#awaited.every((awaited) => awaited.settled)) {
      this.#idle(run);
      return;
    }
    run.idleTurns = 0;
    const settled = this.#awaited;
    this.#awaited = [];
    for (const { deliver } of settled) deliver();
  }

  /** Something real may still be on its way: a module that is loaded, a file that user code reads by itself. */
  #idle(run: Run): void {
    run.idleTurns++;
    if (run.idleTurns === 1) run.idleSince = performance.now();
    if (run.idleTurns < idleTurnsMin || performance.now() - run.idleSince < this.#graceMs) return;
    const waits =
      this.#awaited.length > 0 ? "real input or output doesn't end" : "promises wait for what never happens";
    run.fail(this.#stuck(`nothing is left to do at ${this.#nowMs} ms of virtual time, and ${waits}`));
  }
}
