import type { EntityReference } from "../entities.ts";
import { durableName, NumberedEnvelope, type Message, type Sender } from "./durable-envelopes.ts";

/** What one durable actor has sent to another, and isn't acknowledged yet. */
export class OutgoingMail {
  readonly to: EntityReference;
  /** The number of the last message. */
  sent: number;
  /** The number of the last message whose transition is durable: it may leave. */
  released: number;
  /** At which sweep what is waiting is sent again, and how many it waits for. */
  againAt = Infinity;
  againSweeps = 0;
  #waiting: NumberedEnvelope[];
  #first = 0;

  constructor(to: EntityReference, sent = 0, waiting: NumberedEnvelope[] = []) {
    this.to = to;
    this.sent = sent;
    this.released = sent;
    this.#waiting = waiting;
  }

  get size(): number {
    return this.#waiting.length - this.#first;
  }

  /** What isn't acknowledged, in order. */
  get waiting(): readonly NumberedEnvelope[] {
    return this.#first === 0 ? this.#waiting : this.#waiting.slice(this.#first);
  }

  add(sender: Sender, message: Message): NumberedEnvelope {
    const envelope = new NumberedEnvelope(this.to, sender, ++this.sent, message);
    this.#waiting.push(envelope);
    return envelope;
  }

  /** Forgets messages up to a number. Gives how many that were. */
  acknowledge(number: number): number {
    const before = this.#first;
    while ((this.#waiting[this.#first]?.number ?? Infinity) <= number) this.#first++;
    const count = this.#first - before;
    // Parts that are gone are cut off when they are most of it, so that each message is moved once at most.
    if (this.#first > 32 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return count;
  }
}

/** What a durable actor has sent to others. It outlives the actor's cell. */
export class Outbox {
  readonly owner: EntityReference;
  readonly name: string;
  /** Messages that aren't acknowledged. */
  size = 0;
  readonly #mail = new Map<string, OutgoingMail>();

  constructor(owner: EntityReference, name: string) {
    this.owner = owner;
    this.name = name;
  }

  /** By receivers. */
  get mail(): ReadonlyMap<string, OutgoingMail> {
    return this.#mail;
  }

  to(receiver: EntityReference): OutgoingMail {
    const name = durableName(receiver);
    let mail = this.#mail.get(name);
    if (mail === undefined) this.#mail.set(name, (mail = new OutgoingMail(receiver)));
    return mail;
  }

  /** What a snapshot had. */
  restore(mail: OutgoingMail): void {
    this.#mail.set(durableName(mail.to), mail);
    this.size += mail.size;
  }

  add(receiver: EntityReference, message: Message): NumberedEnvelope {
    this.size++;
    return this.to(receiver).add(this, message);
  }

  acknowledge(receiver: string, number: number): OutgoingMail | undefined {
    const mail = this.#mail.get(receiver);
    if (mail !== undefined) this.size -= mail.acknowledge(number);
    return mail;
  }
}
