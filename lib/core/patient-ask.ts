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
// A mailbox has room again soon, and an entity that was lost a while later.
const longestPauseMs = { MAILBOX_FULL: 20, ACTOR_STOPPED: 500 } as const;

/** Asks an actor, and again where it surely can be of use: its mailbox had no room, or it is an entity, which goes on elsewhere. */
export function askPatiently(to: AnyReference, question: PatientQuestion): Promise<unknown> {
  const { name, payload, timeoutMs, signal } = question;
  const since = systemClock.monotonic();
  return to.ask(name, payload, { timeoutMs, signal }).catch((error: unknown) => askAgain(to, question, since, error));
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
    const longestMs = mayHelp(last, to);
    const leftMs = timeoutMs - (systemClock.monotonic() - since) - pauseMs;
    if (longestMs === undefined || leftMs <= 0) throw last;
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    await delay(systemClock, pauseMs, signal);
    pauseMs = Math.min(longestMs, 2 * pauseMs);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      return await to.ask(name, payload, { timeoutMs: leftMs, signal });
    } catch (error) {
      last = error;
    }
  }
}

/** How long to wait at most before it is asked again; undefined where that can't help. */
function mayHelp(error: unknown, to: AnyReference): number | undefined {
  if (!(error instanceof QStreamError)) return undefined;
  const { code } = error;
  if (code === "MAILBOX_FULL" || (code === "ACTOR_STOPPED" && livesOn in to)) return longestPauseMs[code];
  return undefined;
}
