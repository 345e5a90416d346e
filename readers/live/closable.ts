import { QStreamError } from "../../lib/core/errors.ts";

/**
 * An iteration that its consumer can leave at any time. A generator that waits for its source answers `return` only after
 * the source did; here leaving aborts the signal that the generator was started with, so that it ends at once.
 *
 * @param signal - aborted when the execution ends
 * @param start - makes the generator; the signal it gets is aborted by either
 */
export function closable<T>(
  signal: AbortSignal,
  start: (signal: AbortSignal) => AsyncGenerator<T, void>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const leaving = new AbortController();
      const generator = start(AbortSignal.any([signal, leaving.signal]));
      return {
        next: () => generator.next(),
        async return() {
          leaving.abort(new QStreamError("ABORTED", "nobody wants more objects of this reader"));
          // Whoever waits for an object gets the error; for the one who leaves, it is none.
          await generator.return().catch(() => {});
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Throws what a signal was aborted with. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal);
}

/** What a signal was aborted with, as an error. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new QStreamError("ABORTED", "the reader was stopped");
}

/** Calls back when a signal aborts, at once if it has. Returns a function that takes that back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) callback();
  else signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}
