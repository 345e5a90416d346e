import { QStreamError, type Place } from "../../lib/core/errors.ts";

export const readOnlyAdvice = "Objects are read-only, as others may hold the same ones: copy before you change.";

/** Gives an error that came out of a channel the place where it happened; its own place, if it has one, goes first. */
export function locate(error: unknown, place: Place): QStreamError {
  if (error instanceof QStreamError) {
    if (error.place.step !== undefined) return error;
    const located = new QStreamError(error.code, error.message, {
      ...place,
      ...adviceOn(error.cause),
      cause: error.cause,
    });
    if (error.stack !== undefined) located.stack = error.stack;
    // The message tells the error's own place already.
    return Object.assign(located, { place: { ...place, ...error.place } });
  }
  const message =
    error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
  return new QStreamError("STEP_FAILED", message, { ...place, ...adviceOn(error), cause: error });
}

/** What the engine says of who writes into something frozen doesn't tell why it is. */
function adviceOn(error: unknown): { readonly advice?: string } {
  const frozen =
    error instanceof TypeError &&
    /^Cannot (?:assign to read only|add|delete|define|redefine) property/u.test(error.message);
  return frozen ? { advice: readOnlyAdvice } : {};
}

/** True if user code threw it: running the task again may help. What the engine says itself doesn't get better by that. */
export function isByUser(error: unknown): boolean {
  return !(error instanceof QStreamError) || (error.code === "STEP_FAILED" && error.cause !== undefined);
}
