import { delay, type Clock } from "../../../lib/core/seam/clock.ts";

export const redialFirstMs = 50;
export const redialMostMs = 1000;

export interface Redial {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** False once nobody wants a connection any more. */
  readonly wanted: () => boolean;
  /** Grows with what the connections bring. */
  readonly progress: () => number;
  /** Fulfilled when a connection is over. */
  readonly dial: () => Promise<void>;
  readonly failed: (error: Error) => void;
}

/**
 * Opens one connection after the other. Those that are refused, or end at once without having brought anything, follow in longer and
 * longer intervals.
 */
export async function keepDialing({ clock, signal, wanted, progress, dial, failed }: Redial): Promise<void> {
  let pauseMs = redialFirstMs;
  while (wanted()) {
    const before = progress();
    const startedAt = clock.monotonic();
    let worked = false;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await dial();
      worked = progress() > before || clock.monotonic() - startedAt > redialMostMs;
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
    pauseMs = worked ? redialFirstMs : Math.min(2 * pauseMs, redialMostMs);
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (wanted()) await delay(clock, pauseMs, signal).catch(() => {});
  }
}
