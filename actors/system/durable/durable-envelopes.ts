import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import type { EntityReference } from "../entities.ts";
import { Envelope } from "../envelope.ts";

/** A message of one durable actor to another: sent again until its receiver has logged it, and handled once. */
export class NumberedEnvelope extends Envelope {
  readonly to: EntityReference;
  /** The sender's name. */
  readonly from: string;
  /** 1 for the first of this sender to this receiver, without gaps. */
  readonly number: number;
  /** The message's own name, where the envelope's is `unhandledName`. */
  readonly message: string;

  constructor(to: EntityReference, sender: Sender, number: number, message: Message, name = message.name) {
    super(name, message.payload, sender.owner, undefined);
    this.to = to;
    this.from = sender.name;
    this.number = number;
    this.message = message.name;
  }

  /** The same for another mailbox: an envelope is linked into one. */
  again(name?: string): NumberedEnvelope {
    const { to, number, message, payload } = this;
    const sender = { owner: this.sender as EntityReference, name: this.from };
    return new NumberedEnvelope(to, sender, number, { name: message, payload }, name);
  }
}

/** A durable actor that sends. */
export interface Sender {
  readonly owner: EntityReference;
  readonly name: string;
}

export interface Message {
  readonly name: string;
  readonly payload: unknown;
}

/** A timer of a durable actor went off. */
export class TimerEnvelope extends Envelope {
  readonly timer: number;

  constructor(timer: number, name: string, payload: unknown, self: AnyReference) {
    super(name, payload, self, undefined);
    this.timer = timer;
  }
}

/** The next one of what a durable actor put aside and has taken back. */
export class AgainEnvelope extends Envelope {
  constructor(name: string, payload: unknown, sender: AnyReference | undefined) {
    super(name, payload, sender, undefined);
  }
}

/** Name of what a durable actor sent to one that has no handler for it: that it came is logged, so that it isn't sent again. */
export const unhandledName = "\u0000unhandled";

/** What a durable actor is called in logs, now and after any loss. */
export function durableName({ definition, entityKey }: EntityReference): string {
  return `${definition.registered ?? definition.kind}/${entityKey}`;
}

/** The kind and key of a name. Kinds of durable actors have no slash. */
export function partsOfName(name: string): { readonly kind: string; readonly key: string } {
  const slash = name.indexOf("/");
  return { kind: name.slice(0, slash), key: name.slice(slash + 1) };
}
