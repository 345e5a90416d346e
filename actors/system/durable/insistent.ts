import { QStreamError } from "../../../lib/core/errors.ts";
import { delay, type Clock } from "../../../lib/core/seam/clock.ts";

/** How a store that is away is waited for. */
export interface Patience {
  readonly clock: Clock;
  /** Told when the store begins to be away. */
  readonly away: (error: QStreamError) => void;
  /** Aborts when nobody waits any more; its reason is what is thrown then. */
  readonly ended: AbortSignal;
}

const firstWaitMs = 20;
const longestWaitMs = 1000;

/** Repeats what a store is asked for while it is away. */
export async function insistent<T>({ clock, away, ended }: Patience, action: () => Promise<T>): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, 2 * waitMs)) {
    ended.throwIfAborted();
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it is done
      return await action();
    } catch (error) {
      if (!(error instanceof QStreamError) || error.code !== "STORE_UNAVAILABLE") throw error;
      if (waitMs === firstWaitMs) away(error);
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(clock, waitMs, ended);
  }
}
