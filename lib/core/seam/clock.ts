/** Time and timers as the engine sees them. The real one below is the only place where the engine reads the clock. */
export interface Clock {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Milliseconds from an arbitrary start, never going back, with fractions. */
  monotonic: () => number;
  /** Calls back once after a delay. Returns a function that cancels. */
  after: (delayMs: number, callback: () => void) => () => void;
  /** Calls back once, soon, after input and output that is ready has been taken. */
  soon: (callback: () => void) => void;
}

/** The machine's own clock. Its timers don't keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};

/** Waits on a clock; rejects when the signal aborts. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      cancel();
      reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
