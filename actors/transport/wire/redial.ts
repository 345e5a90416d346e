import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";

export const redialFirstMs = 50;
export const redialMostMs = 1000;

export interface Redial {
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
export async function keepDialing({ signal, wanted, progress, dial, failed }: Redial): Promise<void> {
  let pauseMs = redialFirstMs;
  while (wanted()) {
    const before = progress();
    const startedAt = performance.now();
    let worked = false;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await dial();
      worked = progress() > before || performance.now() - startedAt > redialMostMs;
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
    pauseMs = worked ? redialFirstMs : Math.min(2 * pauseMs, redialMostMs);
    // oxlint-disable-next-line no-await-in-loop -- see above
    if (wanted()) await wait(pauseMs, undefined, { signal }).catch(() => {});
  }
}
