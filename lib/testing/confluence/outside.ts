import { keyedRandom } from "../../core/seam/random.ts";

// Milliseconds since 1970, and how far they go on at most whenever they are asked for.
const startMs = 1_000_000_000_000;
const startSpreadMs = 1_000_000_000;
const stepMs = 1000;

/** What user code finds outside of the engine: a clock and randomness that follow from a seed. */
export class Outside {
  readonly #random: () => number;
  #nowMs: number;

  constructor(seed: number) {
    this.#random = keyedRandom(seed);
    this.#nowMs = startMs + Math.floor(this.#random() * startSpreadMs);
  }

  /** Calls user code. Until what it returns has settled, `Date`, `performance.now` and `Math.random` are these. */
  call<T>(body: () => T): T {
    const restore = this.#install();
    let result: T;
    try {
      result = body();
    } catch (error) {
      restore();
      throw error;
    }
    if (!(result instanceof Promise)) {
      restore();
      return result;
    }
    return result.finally(restore) as T;
  }

  #tick(): number {
    this.#nowMs += 1 + Math.floor(this.#random() * stepMs);
    return this.#nowMs;
  }

  #install(): () => void {
    const realDate = Date;
    const realRandom = Math.random;
    const realNow = performance.now.bind(performance);
    const now = (): number => this.#tick();
    globalThis.Date = new Proxy(realDate, {
      construct: (target, args: unknown[], newTarget) =>
        Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
      apply: () => new realDate(now()).toString(),
      get: (target, property, receiver) =>
        property === "now" ? now : (Reflect.get(target, property, receiver) as unknown),
    });
    Math.random = this.#random;
    performance.now = () => now() - startMs;
    return () => {
      globalThis.Date = realDate;
      Math.random = realRandom;
      performance.now = realNow;
    };
  }
}
