import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Clock } from "../../../core/seam/clock.ts";
import type { Life } from "../life.ts";

/** A process, as its sockets know it. */
export interface SocketOwner {
  readonly name: string;
  /** What others reach it by. Several processes may be on one host. */
  readonly host: string;
  readonly life: Life;
  /** Stands still while the process does. */
  readonly clock: Clock;
}

/** What travels on a connection, one way. */
export type Item =
  | { readonly kind: "message"; readonly binary: boolean; readonly fragments: readonly Buffer[] }
  | { readonly kind: "ping" | "pong" | "end" | "reset" };

const stateOpen = 1;
const stateClosing = 2;
const stateClosed = 3;
// As `ws` does.
const closeWithinMs = 30_000;

/** One end of a connection of the simulated world: what the engine uses of a WebSocket, and of the stream below it. */
export class VirtualSocket extends EventEmitter {
  readonly OPEN = stateOpen;
  readonly bufferedAmount = 0;
  readonly owner: SocketOwner;
  readyState = stateOpen;
  bytesRead = 0;
  /** Hands over what goes to the other end. */
  readonly #carry: (item: Item) => void;
  /** Loses a part of what is on its way there, that chance decides. */
  readonly #lose: () => void;
  #paused: boolean;
  #early: Item[] = [];
  #begun: Buffer[] = [];

  constructor(parts: {
    readonly owner: SocketOwner;
    /** Nothing is heard before it is resumed. */
    readonly paused: boolean;
    readonly carry: (item: Item) => void;
    readonly lose: () => void;
  }) {
    super();
    this.owner = parts.owner;
    this.#paused = parts.paused;
    this.#carry = parts.carry;
    this.#lose = parts.lose;
  }

  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  get asStream(): Socket {
    return this as unknown as Socket;
  }

  send(
    data: Uint8Array,
    { fin = true, binary = true }: { readonly fin?: boolean; readonly binary?: boolean } = {},
    written?: () => void,
  ): void {
    if (written !== undefined) this.owner.clock.soon(written);
    if (this.readyState !== stateOpen) return;
    // Nothing is shared with the other end.
    this.#begun.push(Buffer.from(data));
    if (!fin) return;
    const fragments = this.#begun;
    this.#begun = [];
    this.#carry({ kind: "message", binary, fragments });
  }

  /** Of the stream: all that is sent goes on its way at once here. */
  cork(): void {}

  uncork(): void {}

  ping(): void {
    if (this.readyState === stateOpen) this.#carry({ kind: "ping" });
  }

  close(): void {
    if (this.readyState !== stateOpen) return;
    this.readyState = stateClosing;
    this.#carry({ kind: "end" });
    this.owner.clock.after(closeWithinMs, () => this.terminate());
  }

  terminate(): void {
    if (this.readyState === stateClosed) return;
    this.#lose();
    this.#carry({ kind: "reset" });
    this.#closed();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    // Nobody is told anything before it has come back from asking for it.
    this.owner.clock.soon(() => {
      this.#paused = false;
      const early = this.#early;
      this.#early = [];
      for (const item of early) this.arrived(item);
    });
  }

  /** Its process is dead: nobody hears it any more. */
  abandon(): void {
    this.readyState = stateClosed;
  }

  /** Something came from the other end. */
  arrived(item: Item): void {
    if (this.readyState === stateClosed) return;
    if (this.#paused) {
      this.#early.push(item);
      return;
    }
    switch (item.kind) {
      case "message":
        for (const { byteLength } of item.fragments) this.bytesRead += byteLength;
        this.emit("message", item.fragments, item.binary);
        return;
      case "ping":
        this.bytesRead += controlBytes;
        if (this.readyState === stateOpen) this.#carry({ kind: "pong" });
        this.emit("ping");
        return;
      case "pong":
        this.bytesRead += controlBytes;
        this.emit("pong");
        return;
      case "end":
        if (this.readyState === stateOpen) this.#carry({ kind: "end" });
        this.#closed();
        return;
      case "reset":
        this.#closed();
    }
  }

  /** Nothing is sent or heard any more. */
  get over(): boolean {
    return this.readyState === stateClosed;
  }

  #closed(): void {
    this.readyState = stateClosed;
    this.owner.clock.soon(() => this.emit("close"));
  }
}

const controlBytes = 2;

/** What a server sees of a request for a connection. */
export function requestOf(headers: Readonly<Record<string, string>>): IncomingMessage {
  return { headers: lowerCased(headers) } as unknown as IncomingMessage;
}

export function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
