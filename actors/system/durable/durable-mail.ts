import { QStreamError } from "../../../lib/core/errors.ts";
import { cellFlag } from "../cell.ts";
import type { EntityReference } from "../entities.ts";
import type { ActorNode } from "../node.ts";
import { Envelope } from "../envelope.ts";
import { unhandledName, type NumberedEnvelope } from "./durable-envelopes.ts";
import type { DurableDefinitions } from "./durable-definitions.ts";
import { DurableCell } from "./durable-cell.ts";
import { hasHandler } from "./kept-timers.ts";
import { Outbox, type OutgoingMail } from "./outbox.ts";
import type { OutgoingMessage } from "./transition.ts";
import type { Effect } from "./effects.ts";

/** Durable actors whose home is another node, and how they are reached. What is handed over may get lost. */
export interface DistantMail {
  send: (envelope: NumberedEnvelope) => void;
  /** The receiver has logged messages up to a number. */
  acknowledge: (sender: EntityReference, receiver: EntityReference, number: number) => void;
}

/** Sweeps between the first sending and the second; and twice as many before each further one. */
const firstSweeps = 2;
const sweepsMax = 64;
const sweepMs = 500;

/**
 * Mail between durable actors. A message is sent again until its receiver has logged it, and a receiver handles each number of a
 * sender once and in order: so it is handled exactly once, whatever gets lost.
 */
export class DurableMail {
  readonly #node: ActorNode;
  readonly #definitions: DurableDefinitions;
  readonly #distant: DistantMail | undefined;
  readonly #drained: (cell: DurableCell) => void;
  readonly #boxes = new Map<string, Outbox>();
  /** What isn't acknowledged. */
  readonly #waiting = new Set<OutgoingMail>();
  #sweeps = 0;
  #cancelSweep: (() => void) | undefined;
  #isClosed = false;

  /** @param drained - told of an actor of which nothing waits any more */
  constructor(
    node: ActorNode,
    definitions: DurableDefinitions,
    distant: DistantMail | undefined,
    drained: (cell: DurableCell) => void,
  ) {
    this.#node = node;
    this.#drained = drained;
    this.#definitions = definitions;
    this.#distant = distant;
  }

  of(sender: string): Outbox | undefined {
    return this.#boxes.get(sender);
  }

  /** Messages of an actor that aren't acknowledged. */
  sizeOf(sender: string): number {
    return this.#boxes.get(sender)?.size ?? 0;
  }

  /** Numbers a message. It leaves by `release`. */
  add(cell: DurableCell, message: OutgoingMessage): NumberedEnvelope {
    const box = this.#boxOf(cell);
    const envelope = box.add(message.to, message);
    this.#waiting.add(box.to(message.to));
    return envelope;
  }

  /** What a replay sent: it is known unless memory was lost, and may not have arrived. */
  repeat(cell: DurableCell, messages: readonly (Effect | OutgoingMessage)[]): void {
    if (cell.hasOutbox) return;
    for (const message of messages) if ("to" in message) this.add(cell, message);
  }

  /** The mail that a snapshot had. */
  restore(cell: DurableCell, mail: Iterable<OutgoingMail>): void {
    if (cell.hasOutbox) return;
    const box = this.#boxOf(cell);
    for (const one of mail) {
      box.restore(one);
      if (one.size > 0) this.#waiting.add(one);
    }
  }

  /** An actor is back: what isn't acknowledged is sent again. */
  resendAll(cell: DurableCell): void {
    const box = this.#boxes.get(cell.keptName);
    for (const mail of box?.mail.values() ?? []) {
      mail.released = mail.sent;
      if (mail.size > 0) this.#resend(mail);
    }
  }

  /** A message's transition is durable. */
  release(envelope: NumberedEnvelope, from: DurableCell): void {
    const mail = this.#boxes.get(envelope.from)?.to(envelope.to);
    if (mail === undefined) return;
    mail.released = Math.max(mail.released, envelope.number);
    if (mail.againAt === Infinity) this.#wait(mail, firstSweeps);
    this.#deliver(envelope, from);
  }

  /** A message is logged by its receiver, here. */
  handled({ from, to, number }: NumberedEnvelope): void {
    const sender = this.#boxes.has(from) ? undefined : this.#definitions.referenceTo(from);
    if (sender !== undefined && this.#node.parts.isHome?.(sender) === false) {
      this.#distant?.acknowledge(sender, to, number);
    } else this.acknowledged(from, this.#definitions.nameOf(to), number);
  }

  /** A receiver, here or elsewhere, has logged messages up to a number. */
  acknowledged(sender: string, receiver: string, number: number): void {
    const box = this.#boxes.get(sender);
    const mail = box?.acknowledge(receiver, number);
    if (box === undefined || mail === undefined) return;
    if (mail.size > 0) this.#wait(mail, firstSweeps);
    else {
      mail.againAt = Infinity;
      this.#waiting.delete(mail);
    }
    if (box.size > 0) return;
    const cell = this.#node.entities.get(box.owner.key);
    if (cell instanceof DurableCell) this.#drained(cell);
    else this.#boxes.delete(sender);
  }

  /** Takes a message for an actor whose home is here. */
  receive(envelope: NumberedEnvelope, from?: DurableCell): void {
    if (this.#node.isClosed) return;
    const { definition, entityKey } = envelope.to;
    const known = this.#definitions.find(definition);
    // Who isn't known yet may be later: it stays with its sender.
    if (known === undefined) return;
    const to = this.#node.entities.reference(known, entityKey);
    if (known.durable === undefined) {
      this.#tell(to, envelope, from);
      this.handled(envelope);
      return;
    }
    const before = this.#node.entities.get(to.key);
    if (before instanceof DurableCell && this.#isRepeated(before, envelope)) return;
    const source = this.#definitions.sourceOf(known);
    const mail = hasHandler(source, envelope.message) ? envelope : envelope.again(unhandledName);
    try {
      this.#node.entities.deliver(to, mail, from);
      const cell = this.#node.entities.get(to.key);
      if (cell instanceof DurableCell && cell.tail === mail) cell.accepted.set(mail.from, mail.number);
    } catch (error) {
      // It is sent again.
      if (!isMailboxFull(error)) throw error;
    }
  }

  /** Hands a message to an actor that isn't durable: once, whether it has room for it or not. */
  #tell(to: EntityReference, envelope: NumberedEnvelope, from: DurableCell | undefined): void {
    const { message, payload, sender } = envelope;
    try {
      this.#node.tell(to, message, payload, from);
    } catch (error) {
      if (!isMailboxFull(error)) throw error;
      this.#node.deadLetter(to.label, new Envelope(message, payload, sender, undefined), "mailbox-full");
    }
  }

  /** Sends again at once what waits for a receiver that is gone, or is somewhere else now. */
  hurry(): void {
    for (const mail of this.#waiting) this.#resend(mail);
  }

  /** An actor has ended here. What waits of it goes on being sent. */
  leave(cell: DurableCell): void {
    const box = this.#boxes.get(cell.keptName);
    if (box !== undefined && (box.size === 0 || cell.isLost)) this.forget(cell.keptName);
  }

  forget(sender: string): void {
    for (const mail of this.#boxes.get(sender)?.mail.values() ?? []) this.#waiting.delete(mail);
    this.#boxes.delete(sender);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #boxOf(cell: DurableCell): Outbox {
    let box = this.#boxes.get(cell.keptName);
    if (box === undefined) this.#boxes.set(cell.keptName, (box = new Outbox(cell.reference, cell.keptName)));
    return box;
  }

  /** True for what waits already, or was handled: then its sender is told again, unless that isn't durable yet. */
  #isRepeated(cell: DurableCell, envelope: NumberedEnvelope): boolean {
    if (envelope.number <= (cell.accepted.get(envelope.from) ?? 0)) return true;
    if ((cell.flags & (cellFlag.starting | cellFlag.stopping)) !== 0) return false;
    if (envelope.number > (cell.kept.heard.get(envelope.from) ?? 0)) return false;
    if (cell.pending === 0) this.handled(envelope);
    return true;
  }

  #deliver(envelope: NumberedEnvelope, from: DurableCell | undefined): void {
    if (this.#node.parts.isHome?.(envelope.to) === false) this.#distant?.send(envelope);
    else this.receive(envelope, from);
  }

  #resend(mail: OutgoingMail): void {
    this.#wait(mail, Math.min(sweepsMax, Math.max(firstSweeps, 2 * mail.againSweeps)));
    for (const envelope of mail.waiting)
      if (envelope.number <= mail.released) this.#deliver(envelope.again(), undefined);
  }

  #wait(mail: OutgoingMail, sweeps: number): void {
    mail.againSweeps = sweeps;
    mail.againAt = this.#sweeps + sweeps;
    if (this.#cancelSweep === undefined && !this.#isClosed) this.#sweepLater();
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#node.clock.after(sweepMs, () => {
      this.#cancelSweep = undefined;
      this.#sweeps++;
      for (const mail of this.#waiting) if (mail.againAt <= this.#sweeps) this.#resend(mail);
      if (this.#waiting.size > 0 && !this.#isClosed) this.#sweepLater();
    });
  }
}

function isMailboxFull(error: unknown): boolean {
  return error instanceof QStreamError && error.code === "MAILBOX_FULL";
}
