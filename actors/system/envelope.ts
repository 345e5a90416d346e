import type { AnyReference } from "../../lib/core/contracts/actor.ts";

/** Who is told what becomes of a message: who asked, or the timer that it is from. */
export interface ReplyTo {
  answer: (value: unknown) => void;
  refuse: (error: Error) => void;
  /** The answer comes later, or never: the handler took care of it. */
  deferred?: () => void;
  /** True once nobody waits any more: the message isn't handled then. */
  readonly isOver: boolean;
}

/** A reply that tells who keeps it when it is over, by whatever. */
export interface SettlingReply extends ReplyTo {
  settled: (() => void) | undefined;
}

export function isSettling(reply: ReplyTo): reply is SettlingReply {
  return "settled" in reply;
}

/** A message on its way to an actor, or in its mailbox, where it is linked to the next one. */
export class Envelope {
  readonly name: string;
  readonly payload: unknown;
  readonly sender: AnyReference | undefined;
  readonly reply: ReplyTo | undefined;
  next: Envelope | undefined = undefined;

  constructor(name: string, payload: unknown, sender: AnyReference | undefined, reply: ReplyTo | undefined) {
    this.name = name;
    this.payload = payload;
    this.sender = sender;
    this.reply = reply;
  }
}

/** Name of the message after which an actor stops that was told to stop when it has handled its mail. No handler can have it. */
export const lastMailName = "\u0000stop";
