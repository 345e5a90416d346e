import type { Coordination } from "../core/contracts/coordination.ts";
import { QStreamError } from "../core/errors.ts";
import { delay, type Clock } from "../core/seam/clock.ts";

export interface ReignParts {
  readonly epoch: number;
  readonly state: Coordination;
  readonly clock: Clock;
  /** Keeps a bundle again that this head still has. False where it hasn't. */
  readonly keepBundle: (hash: string) => Promise<boolean>;
  /** A write was refused: another head leads. */
  readonly deposed: () => void;
}

const retryMs = 200;
// Milliseconds for which somebody who submits a flow, or sends or fetches code, waits for a Redis that is away.
const awayMostMs = 60_000;

/** The time in which a head leads: what it writes for others counts no longer than that. */
export class Reign {
  readonly epoch: number;
  readonly state: Coordination;
  readonly #parts: ReignParts;
  #isOver = false;

  constructor(parts: ReignParts) {
    this.epoch = parts.epoch;
    this.state = parts.state;
    this.#parts = parts;
  }

  /** Another head leads. */
  end(): void {
    this.#isOver = true;
  }

  /** Does a step for as long as it takes, while this head leads. @throws QStreamError HEAD_DEPOSED, STORE_LOST */
  persist<T>(step: (state: Coordination) => Promise<T>): Promise<T> {
    return this.#repeat(step, ["STORE_UNAVAILABLE", "STORE_REFUSED"], Infinity);
  }

  /** Does a step once. @throws QStreamError HEAD_DEPOSED, STORE_* */
  async attempt<T>(step: (state: Coordination) => Promise<T>): Promise<T> {
    try {
      return await step(this.state);
    } catch (error) {
      throw this.#noticed(error);
    }
  }

  /**
   * Does a step that somebody waits for. Redis may be away for a while.
   *
   * @param step - can be done twice, since an answer may be lost
   * @throws QStreamError HEAD_DEPOSED, STORE_*
   */
  patiently<T>(step: (state: Coordination) => Promise<T>): Promise<T> {
    return this.#repeat(step, ["STORE_UNAVAILABLE"], this.#parts.clock.monotonic() + awayMostMs);
  }

  /** The same with a step that needs the code of a flow. @throws QStreamError FLOW_NOT_FOUND, HEAD_DEPOSED, STORE_* */
  withCode<T>(bundle: string, step: (state: Coordination) => Promise<T>): Promise<T> {
    return this.patiently(step).catch(async (error: unknown) => {
      // It was long ago that somebody used it.
      if (!(error instanceof QStreamError) || error.code !== "FLOW_NOT_FOUND") throw error;
      if (!(await this.#parts.keepBundle(bundle))) throw error;
      return this.patiently(step);
    });
  }

  /** Repeats a step that fails with one of these codes, until a time or the end of this reign. */
  async #repeat<T>(step: (state: Coordination) => Promise<T>, codes: readonly string[], until: number): Promise<T> {
    const { clock } = this.#parts;
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until Redis is back
        return await this.attempt(step);
      } catch (error) {
        const passes = error instanceof QStreamError && codes.includes(error.code);
        if (!passes || clock.monotonic() >= until) throw error;
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(clock, retryMs);
      if (this.#isOver) throw notLeading();
    }
  }

  #noticed(error: unknown): unknown {
    if (error instanceof QStreamError && (error.code === "HEAD_DEPOSED" || error.code === "STORE_LOST")) {
      this.#parts.deposed();
    }
    return error;
  }
}

export function notLeading(): QStreamError {
  return new QStreamError("HEAD_DEPOSED", "another head leads the cluster by now");
}
