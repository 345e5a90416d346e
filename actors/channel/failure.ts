import { QStreamError, type Place } from "../../lib/core/errors.ts";

/** Gives an error that came out of a channel the place where it happened; its own place, if it has one, goes first. */
export function locate(error: unknown, place: Place): QStreamError {
  if (error instanceof QStreamError) {
    if (error.place.step !== undefined) return error;
    const located = new QStreamError(error.code, error.message, { ...place, cause: error.cause });
    if (error.stack !== undefined) located.stack = error.stack;
    // The message tells the error's own place already.
    return Object.assign(located, { place: { ...place, ...error.place } });
  }
  const message =
    error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
  return new QStreamError("STEP_FAILED", message, { ...place, cause: error });
}
