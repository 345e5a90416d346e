import { QStreamError } from "../../lib/core/errors.ts";
import type { DeadLetterReason } from "./node-parts.ts";

/**
 * What who asked is told of a dead letter.
 *
 * @param failure - for which the actor has ended
 */
export function refused(to: string, message: string, why: DeadLetterReason, failure: Error | undefined): QStreamError {
  switch (why) {
    case "no-handler":
      return new QStreamError("MESSAGE_UNHANDLED", `${to} has no handler for "${message}"`, {
        advice: "Send it what its definition's `receive` has",
      });
    case "mailbox-full":
      return new QStreamError("MAILBOX_FULL", `the mailbox of ${to} had no room for "${message}"`, {
        advice: "Ask again later, or give it a larger mailbox",
      });
    case "stopped":
    case "lost":
    case "unknown-actor":
    case "cannot-travel": {
      const after = failure === undefined ? "" : `, for it failed: ${failure.message}`;
      return new QStreamError("ACTOR_STOPPED", `${to} isn't there any more: "${message}" was not handled${after}`, {
        advice: "Watch an actor to be told when it ends, and start or find another",
        cause: failure,
      });
    }
  }
}

/**
 * The error of whoever wants something of a system that is closed, or that failed.
 *
 * @param reason - for which it has failed; undefined where it was closed
 */
export function closedError(reason?: Error): QStreamError {
  if (reason === undefined) return new QStreamError("SESSION_CLOSED", "the system of actors was closed");
  return new QStreamError("SESSION_CLOSED", `the system of actors has failed: ${reason.message}`, { cause: reason });
}
