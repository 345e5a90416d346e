import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import { Envelope, type ReplyTo } from "../envelope.ts";
import type { Reference } from "../reference.ts";
import type { NumberedEnvelope } from "./durable-envelopes.ts";
import type { DurableCell } from "./durable-cell.ts";

/** What others would see of a transition. It is held back until the transition's record is durable. */
export interface Effect {
  leave: (cell: DurableCell) => void;
  /** It never leaves: another node has the actor now, or the store failed. */
  refuse: (error: Error) => void;
}

/** A message to an actor that isn't durable: handled once at most. */
export class Tell implements Effect {
  readonly #to: Reference;
  readonly #name: string;
  readonly #payload: unknown;

  constructor(to: Reference, name: string, payload: unknown) {
    this.#to = to;
    this.#name = name;
    this.#payload = payload;
  }

  leave(cell: DurableCell): void {
    try {
      cell.node.tell(this.#to, this.#name, this.#payload, cell);
    } catch (error) {
      // Its transition is done: nobody is left to be told that a mailbox had no room.
      if (!(error instanceof QStreamError) || error.code !== "MAILBOX_FULL") throw error;
      const envelope = new Envelope(this.#name, this.#payload, cell.self, undefined);
      cell.node.deadLetter(this.#to.label, envelope, "mailbox-full");
    }
  }

  refuse(): void {}
}

/** A message to a durable actor. */
export class Send implements Effect {
  readonly #envelope: NumberedEnvelope;

  constructor(envelope: NumberedEnvelope) {
    this.#envelope = envelope;
  }

  leave(cell: DurableCell): void {
    cell.keeper.mail.release(this.#envelope, cell);
  }

  refuse(): void {}
}

/** The answer to who asked. */
export class Answer implements Effect {
  readonly #reply: ReplyTo;
  readonly #value: unknown;
  readonly #error: Error | undefined;

  constructor(reply: ReplyTo, value: unknown, error?: Error) {
    this.#reply = reply;
    this.#value = value;
    this.#error = error;
  }

  leave(): void {
    if (this.#error === undefined) this.#reply.answer(this.#value);
    else this.#reply.refuse(this.#error);
  }

  refuse(error: Error): void {
    this.#reply.refuse(error);
  }
}

/** Tells a durable sender that its message is logged: it needn't send it again. */
export class Acknowledge implements Effect {
  readonly #envelope: NumberedEnvelope;

  constructor(envelope: NumberedEnvelope) {
    this.#envelope = envelope;
  }

  leave(cell: DurableCell): void {
    cell.keeper.mail.handled(this.#envelope);
  }

  refuse(): void {}
}

/** Whatever else the context does for an actor. */
export class Act implements Effect {
  readonly #act: () => void;

  constructor(act: () => void) {
    this.#act = act;
  }

  leave(): void {
    this.#act();
  }

  refuse(): void {}
}

export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorToData(thrown).message);
}
