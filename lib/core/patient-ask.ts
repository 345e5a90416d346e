import { livesOn } from "./actor-home.ts";
import type { AnyReference } from "./contracts/actor.ts";
import { QStreamError } from "./errors.ts";
import { delay, systemClock } from "./seam/clock.ts";

/** A question to an actor by a flow. */
export interface PatientQuestion {
  readonly name: string;
  readonly payload: unknown;
  /** Milliseconds in which it has to be answered, all tries together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const firstPauseMs = 5;
const longestPauseMs = 500;

/** Asks an actor, and again where it surely can be of use: its mailbox had no room, or it is an entity, which goes on elsewhere. */
export function askPatiently(to: AnyReference, question: PatientQuestion): Promise<unknown> {
  const { name, payload, timeoutMs, signal } = question;
  const since = systemClock.monotonic();
  return to
    .ask(name, payload, { timeoutMs, signal })
    .catch((error: unknown) => askAgain(to, question, since, error));
}

async function askAgain(
  to: AnyReference,
  { name, payload, timeoutMs, signal }: PatientQuestion,
  since: number,
  refusal: unknown,
): Promise<unknown> {
  let last = refusal;
  let pauseMs = firstPauseMs;
  for (;;) {
    const leftMs = timeoutMs - (systemClock.monotonic() - since) - pauseMs;
    if (!mayHelp(last, to) || leftMs <= 0) throw last;
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    await delay(systemClock, pauseMs, signal);
    pauseMs = Math.min(longestPauseMs, 2 * pauseMs);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await to.ask(name, payload, { timeoutMs: leftMs, signal });
    } catch (error) {
      last = error;
    }
  }
}

function mayHelp(error: unknown, to: AnyReference): boolean {
  if (!(error instanceof QStreamError)) return false;
  return error.code === "MAILBOX_FULL" || (error.code === "ACTOR_STOPPED" && livesOn in to);
}
