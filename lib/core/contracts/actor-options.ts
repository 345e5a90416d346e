/** How many messages an actor lets wait, and what happens then. */
export interface MailboxOptions {
  /** Messages that wait at most. Default 100,000. */
  readonly limit?: number;
  /**
   * `wait` (default): actors that sent to it take no further message until half of it is free; for senders from outside of actors, and
   * 100,000 messages beyond the limit, as `fail`. `drop`: what comes is a dead letter, and counted. `fail`: `tell` throws MAILBOX_FULL,
   * and `ask` rejects with it.
   */
  readonly full?: "wait" | "drop" | "fail";
}

/** What is done when a handler throws. */
export type SupervisionAction =
  /** Its state is made anew; what waits in the mailbox stays. */
  | "restart"
  /** It goes on with the state that it has; where that couldn't be made, as `restart`. */
  | "resume"
  | "stop"
  /** Its parent fails, with this error as the cause. */
  | "escalate";

/** What is done for errors of one kind. */
export interface SupervisionRule {
  /** A class of errors, a code of a QStreamError, or what says whether it is meant. Every error unless told. */
  readonly on?: (new (...args: never[]) => Error) | string | ErrorTest;
  readonly do: SupervisionAction;
  /** More restarts than this within so many milliseconds: it is stopped. Default: 10 within 60,000. */
  readonly limit?: { readonly restarts: number; readonly withinMs: number };
  /**
   * How many milliseconds it waits before a restart: `firstMs`, then `factor` (2) times as long each time up to `maxMs` (30,000), and
   * `firstMs` again once it has worked for as long as the longest wait.
   */
  readonly backoff?: { readonly firstMs: number; readonly factor?: number; readonly maxMs?: number };
}

/** Says whether a rule is for an error. */
export interface ErrorTest {
  readonly matches: (error: unknown) => boolean;
}

/** The first rule counts that is for the error. Where none is: `restart`. */
export type Supervision = readonly SupervisionRule[];

export const defaultMailboxLimit = 100_000;
export const defaultAskMs = 5000;
