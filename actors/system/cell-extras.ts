import type { AnyReference, Ended } from "../../lib/core/contracts/actor.ts";
import type { MailboxOptions, Supervision } from "../../lib/core/contracts/actor-options.ts";
import type { Random } from "../../lib/core/seam/random.ts";
import type { Cell } from "./cell.ts";
import type { Envelope } from "./envelope.ts";
import type { PromisedAnswers } from "./promised-answers.ts";
import type { Reference } from "./reference.ts";
import type { RestartHistory } from "./supervising.ts";

/** What few actors need: made on first use, so that an idle actor is small. All have one shape, so that reading it is fast. */
export class CellExtras {
  name: string | undefined = undefined;
  supervise: Supervision | undefined = undefined;
  full: MailboxOptions["full"] = undefined;
  /** The definition's mode that it is in. */
  mode: string | undefined = undefined;
  random: Random | undefined = undefined;
  /** Who wants to know of its end, by their keys. */
  watchers: Map<string, AnyReference> | undefined = undefined;
  /** Whose end it wants to know, by their keys. */
  watching: Map<string, AnyReference> | undefined = undefined;
  timers: Map<number, () => void> | undefined = undefined;
  stash: Envelope[] | undefined = undefined;
  /** Answers that its handlers have promised. */
  promised: PromisedAnswers | undefined = undefined;
  /** Ends that it has to be told. */
  ends: Ended[] | undefined = undefined;
  /** What its handler, whose promise is waited for, was given. */
  handling: Envelope | undefined = undefined;
  /** Actors that wait for room in its mailbox. */
  waiters: Set<Cell> | undefined = undefined;
  /** Whose mailbox it waits for. */
  waitsFor: Cell | undefined = undefined;
  /** Its restarts, for their limit and the waits before them. */
  restarted: RestartHistory | undefined = undefined;
  /** A child's failure, which is its own once its handler is done. */
  escalated: Error | undefined = undefined;
  /** The count of what it had handled when it last put a message aside or handed one on: the handler doesn't answer that. */
  asideAt = -1;
  cancelBackoff: (() => void) | undefined = undefined;
  topics: Map<string, string> | undefined = undefined;
  /** Children in other slots, by their keys. */
  distant: Map<string, AnyReference> | undefined = undefined;
  /** Its parent, if that is in another slot, and the life of the node there: an entity's reference doesn't say it. */
  distantParent: { readonly reference: Reference; readonly life: number } | undefined = undefined;
  /** Tells other slots that its mailbox has room again. */
  room: (() => void) | undefined = undefined;
  /** What it ends for, if it failed. */
  error: Error | undefined = undefined;
  /** What it was made anew for, the last time. */
  restartedFor: Error | undefined = undefined;
}
