import { QStreamError } from "../core/errors.ts";

/** The error of an execution whose signal aborted. */
export function aborted(signal: AbortSignal): QStreamError {
  return new QStreamError("ABORTED", `the execution was stopped: ${reasonOf(signal)}`, { cause: signal.reason });
}

export function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason.message : typeof reason === "string" ? reason : "its signal aborted";
}

/** Waits for work, but no longer than until the signal aborts: code of users may never come back. */
export async function orAborted<T>(work: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let abort = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    abort = () => reject(aborted(signal));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([stopped, work]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
