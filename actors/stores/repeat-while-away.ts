import { QStreamError } from "../../lib/core/errors.ts";
import { delay, type Clock } from "../../lib/core/seam/clock.ts";

/** How a store that is away is waited for. */
export interface WaitForStore {
  readonly clock: Clock;
  /** Aborts when nobody waits any more: its reason is what is thrown then. */
  readonly signal: AbortSignal;
  /** Milliseconds after which no other try is made. Default: as long as it takes. */
  readonly waitMs?: number;
  /** Told once, when the store turns out to be away. */
  readonly away?: (error: QStreamError) => void;
  /** True where a store is waited for, too, that refuses writes for want of memory or disk: it may have room before long. */
  readonly isFullAway?: boolean;
}

const firstPauseMs = 20;
const longestPauseMs = 1000;

/**
 * Repeats a call of a store while that is away.
 *
 * @throws what the last try threw
 */
export async function repeatWhileAway<T>(waiting: WaitForStore, call: () => Promise<T>): Promise<T> {
  const { clock, signal, waitMs = Infinity, away } = waiting;
  const startedAt = clock.monotonic();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal.throwIfAborted();
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return await call();
    } catch (error) {
      if (!isAway(error, waiting) || clock.monotonic() - startedAt >= waitMs) throw error;
      if (pauseMs === firstPauseMs) away?.(error);
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await delay(clock, pauseMs, signal);
  }
}

function isAway(error: unknown, { isFullAway }: WaitForStore): error is QStreamError {
  if (!(error instanceof QStreamError)) return false;
  return error.code === "STORE_UNAVAILABLE" || (isFullAway === true && error.code === "STORE_REFUSED");
}
