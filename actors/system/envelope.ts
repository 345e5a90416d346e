import type { AnyReference } from "../../lib/core/contracts/actor.ts";

/** Who waits for the answer to a message. */
export interface ReplyTo {
  answer: (value: unknown) => void;
  refuse: (error: Error) => void;
  /** True once nobody waits any more. */
  readonly isOver: boolean;
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
