import type { LinkMessage } from "../../lib/core/contracts/transport.ts";

type Handler = (message: LinkMessage, from: string) => void;

/** What arrived at one end of a transport: kept until somebody receives it, dropped once the end is closed. */
export class Inbox {
  #handler: Handler | undefined;
  #early: (readonly [LinkMessage, string])[] = [];
  #closed = false;

  deliver(message: LinkMessage, from: string): void {
    if (this.#closed) return;
    if (this.#handler === undefined) this.#early.push([message, from]);
    else this.#handler(message, from);
  }

  receive(handler: Handler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const [message, from] of early) this.deliver(message, from);
  }

  close(): void {
    this.#closed = true;
    this.#early = [];
  }
}
