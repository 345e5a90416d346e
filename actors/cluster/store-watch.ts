import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";

export interface StoreWatchParts {
  readonly clock: Clock;
  /** Milliseconds without an answer after which the store counts as out of reach from here. */
  readonly leaseMs: number;
  /** Asks something that has an answer in any case. */
  readonly ask: () => Promise<unknown>;
  /** The store is out of reach, said again now and then; or it is within reach again. */
  readonly told: (away: boolean) => void;
}

/**
 * Notices that a machine can't reach a store. Others may well reach it, and then they can make again what this machine can't write
 * down; whether that is so, its drivers find out.
 */
export class StoreWatch {
  readonly #parts: StoreWatchParts;
  /** Since when nothing was answered of what was asked; undefined where nothing is. */
  #unansweredSince: number | undefined;
  #away = false;
  #stopLooking: (() => void) | undefined;
  #closed = false;

  constructor(parts: StoreWatchParts) {
    this.#parts = parts;
  }

  /** Makes a call of the store, and notes whether it was answered. */
  async call<T>(call: () => Promise<T>): Promise<T> {
    this.#unansweredSince ??= this.#parts.clock.monotonic();
    this.#stopLooking ??= this.#lookAfter(this.#parts.leaseMs);
    try {
      const answer = await call();
      this.#heard();
      return answer;
    } catch (error) {
      if (!isAway(error)) this.#heard();
      throw error;
    }
  }

  /** The same store: what is asked of it is watched. */
  over(store: LineageStore): LineageStore {
    return new Proxy(store, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          const call = (): Promise<unknown> => Reflect.apply(value, target, given) as Promise<unknown>;
          return name === "close" ? call() : this.call(call);
        };
      },
    });
  }

  close(): void {
    this.#closed = true;
    this.#stopLooking?.();
  }

  #heard(): void {
    this.#unansweredSince = undefined;
    if (!this.#away) return;
    this.#away = false;
    this.#parts.told(false);
  }

  #lookAfter(ms: number): () => void {
    return this.#parts.clock.after(ms, () => this.#look());
  }

  #look(): void {
    const { clock, leaseMs, ask, told } = this.#parts;
    this.#stopLooking = undefined;
    const since = this.#unansweredSince;
    if (since === undefined || this.#closed) return;
    const left = since + leaseMs - clock.monotonic();
    if (left > 0) {
      this.#stopLooking = this.#lookAfter(left);
      return;
    }
    this.#away = true;
    this.#stopLooking = this.#lookAfter(leaseMs / 2);
    told(true);
    // Executions that leave for other machines ask nothing any more.
    void this.call(ask).catch(() => {});
  }
}

function isAway(error: unknown): boolean {
  return error instanceof QStreamError && error.code === "STORE_UNAVAILABLE";
}
