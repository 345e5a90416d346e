import { QStreamError, type Place } from "../../lib/core/errors.ts";

/** Gives an error that came out of a channel the place where it happened; its own place, if it has one, goes first. */
export function locate(error: unknown, place: Place): QStreamError {
  if (error instanceof QStreamError) {
    if (error.place.step !== undefined) return error;
    const located = new QStreamError(error.code, error.message, { ...place, ...error.place, cause: error.cause });
    if (error.stack !== undefined) located.stack = error.stack;
    return located;
  }
  const message = error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
  return new QStreamError("STEP_FAILED", message, { ...place, cause: error });
}
