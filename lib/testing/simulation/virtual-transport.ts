import type { LinkMessage, Transport } from "../../core/contracts/transport.ts";
import { invariant } from "../../core/errors.ts";
import type { Inbox } from "../../../actors/transport/inbox.ts";

/** The transport of one slot on the virtual network. */
export class VirtualTransport implements Transport {
  readonly slot: string;
  readonly #inbox: Inbox;
  readonly #send: (to: string, message: LinkMessage) => void;
  #closed = false;
  bytesSent = 0;

  constructor(slot: string, inbox: Inbox, send: (to: string, message: LinkMessage) => void) {
    this.slot = slot;
    this.#inbox = inbox;
    this.#send = send;
  }

  send(to: string, message: LinkMessage): void {
    if (this.#closed) return;
    invariant(to !== this.slot, `slot ${to} sent a message to itself through its transport`);
    if (message.kind === "parcel") this.bytesSent += message.payload.bytes.byteLength;
    this.#send(to, message);
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#inbox.receive(handler);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#inbox.close();
    return Promise.resolve();
  }
}

/** A copy that shares nothing with the message. */
export function copyMessage(message: LinkMessage): LinkMessage {
  if (message.kind !== "parcel") return { ...message };
  const { payload } = message;
  return { ...message, payload: { ...payload, bytes: payload.bytes.slice(0) } };
}

/** A message as a line of the trace shows it. */
export function describeMessage(message: LinkMessage): string {
  const { kind, edge, from, to, producer, consumer } = message;
  const link = `edge ${edge} ${from}>${to} lives ${producer}>${consumer}`;
  switch (kind) {
    case "parcel":
      return `parcel ${message.seq} after ${message.previous}, ${message.payload.rows} rows, ${link}`;
    case "end":
      return `end after ${message.previous}, ${link}`;
    case "open":
      return `open after ${message.after}, ${link}`;
    case "credit":
      return `credit ${message.objects}, ${link}`;
    case "cancel":
      return `cancel, ${link}`;
  }
}
