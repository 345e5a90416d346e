import type { MessagePort } from "node:worker_threads";
import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import { systemClock } from "../../lib/core/seam/clock.ts";
import { collectYoung } from "./collect-young.ts";
import { Packer, unpack, type Compression, type Packed, type Parcel } from "./compression.ts";
import { Inbox } from "./inbox.ts";
import { SharedRing, type SharedPlace } from "./shared-ring.ts";

// What waits for the end of the loop's iteration is posted at once when it has grown to this.
const batchBytes = 256 * 1024;
const batchMessages = 1024;
// While parcels keep coming they are gathered for so long, because a post costs more than what is in it: it wakes a thread. What
// comes after this many iterations of nothing is posted at once.
const gatherMs = 2;
const quietTurns = 2;

export interface PortTransportOptions {
  /** A message of this slot couldn't be read. Default: the error is thrown, which ends the thread. */
  readonly failed?: (slot: string, error: Error) => void;
  /** How large parcels for other machines are packed. Default: none. */
  readonly compression?: Compression | undefined;
}

/**
 * Connects slots on threads by message ports, one for each other slot. While messages to a slot keep coming they are gathered;
 * payloads are transferred, not copied.
 */
export class PortTransport implements Transport {
  readonly slot: string;
  readonly #peers = new Map<string, Peer<LinkMessage>>();
  readonly #inbox = new Inbox();
  /** The way to slots of other machines. */
  #gateway: Peer<Addressed> | undefined;
  readonly #ring = new SharedRing();
  readonly #packer: Packer | undefined;
  readonly #options: PortTransportOptions;
  #closing: Promise<void> | undefined;
  bytesSent = 0;

  /**
   * @param slot - the slot of this thread
   * @param ports - a port to each other slot, by name; more can be added
   */
  constructor(slot: string, ports: ReadonlyMap<string, MessagePort> = new Map(), options: PortTransportOptions = {}) {
    this.slot = slot;
    this.#options = options;
    this.#packer = options.compression === "lz4" ? new Packer() : undefined;
    for (const [peer, port] of ports) this.addPort(peer, port);
  }

  addPort(slot: string, port: MessagePort): void {
    const known = this.#peers.get(slot);
    invariant(slot !== this.slot && known?.open !== true, `slot ${this.slot} got a second port to slot ${slot}`);
    const peer = new Peer<LinkMessage>(port);
    this.#peers.set(slot, peer);
    port.on("message", (messages: readonly LinkMessage[]) => {
      for (const message of messages) this.#take(message, slot);
    });
    port.on("messageerror", (cause) => this.#failed(slot, cause));
    if (this.#closing !== undefined) port.close();
  }

  /** Sets the port to whoever knows the slots of other machines. */
  setGateway(port: MessagePort): void {
    this.#gateway = new Peer(port);
    port.on("message", (messages: readonly Addressed[]) => {
      for (const { slot, message } of messages) this.#takeFar(message, slot);
    });
    port.on("messageerror", (cause) => this.#failed("of another machine", cause));
  }

  /** Parcels go to other machines. */
  get checked(): boolean {
    return this.#gateway !== undefined;
  }

  /** Messages that weren't sent because the other slot had closed its end. */
  get messagesUndelivered(): number {
    return [...this.#peers.values()].reduce((sum, peer) => sum + peer.undelivered, 0);
  }

  send(to: string, message: LinkMessage): void {
    if (this.#closing !== undefined) return;
    const peer = this.#peers.get(to);
    const sent = peer?.send(message, message) ?? this.#sendFar(to, message);
    invariant(sent !== undefined, `slot ${this.slot} has no port to slot ${to}`);
    this.bytesSent += sent;
  }

  /** To another machine: large payloads through memory that is shared with the thread of the sockets. */
  #sendFar(slot: string, message: LinkMessage): number | undefined {
    if (message.kind !== "parcel") return this.#gateway?.send({ slot, message }, message);
    const { payload } = message;
    const packed = this.#packer?.pack(message);
    const place = this.#ring.put(packed?.bytes ?? new Uint8Array(payload.bytes));
    if (packed === undefined && place === undefined) return this.#gateway?.send({ slot, message }, message);
    // Its own buffer has died young.
    collectYoung(payload.bytes.byteLength);
    // What a library gives can't be handed over.
    const bytes = place === undefined ? new Uint8Array(packed?.bytes ?? []).buffer : new ArrayBuffer(0);
    const sent: Parcel = {
      ...message,
      payload: { ...(packed === undefined ? payload : packedAs(payload, packed)), bytes },
    };
    return this.#gateway?.send({ slot, message: sent, place }, sent, place?.bytes);
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#inbox.receive(handler);
  }

  /** Sends what was gathered, and closes all ports. */
  close(): Promise<void> {
    const peers = [...this.#peers.values(), ...(this.#gateway === undefined ? [] : [this.#gateway])];
    this.#closing ??= Promise.all(peers.map((peer) => peer.close())).then(() => {});
    this.#inbox.close();
    return this.#closing;
  }

  #take(message: LinkMessage, from: string): void {
    if (message.kind === "parcel") collectYoung(message.payload.bytes.byteLength);
    this.#inbox.deliver(message, from);
  }

  #takeFar(message: LinkMessage, from: string): void {
    let unpacked: LinkMessage;
    try {
      unpacked = unpack(message);
    } catch (error) {
      // Whoever has the connections breaks with the machine that it is from: nobody can send it again.
      this.#gateway?.send({ slot: from, message, unreadable: String(error) }, message);
      return;
    }
    this.#take(unpacked, from);
  }

  #failed(slot: string, cause: Error): void {
    if (this.#closing !== undefined) return;
    const error = new QStreamError("FRAME_INVALID", `a message from slot ${slot} to slot ${this.slot} can't be read`, {
      cause,
      advice: "The thread may be out of memory: give slots more, or lower the limit parcelBytes.",
    });
    if (this.#options.failed === undefined) throw error;
    this.#options.failed(slot, error);
  }
}

/** A link's message through a gateway: the slot that it is for, or on the way back the one that it is from. */
export interface Addressed {
  readonly slot: string;
  readonly message: LinkMessage;
  /** Where its payload is, which isn't in it then. */
  readonly place?: SharedPlace | undefined;
  /** Why the slot couldn't read what came from there, for the message itself. */
  readonly unreadable?: string;
}

function packedAs(payload: Payload, { checksum }: Packed): Payload {
  return { ...payload, checksum, unpackedBytes: payload.bytes.byteLength };
}

/** The way to one other slot, or to all of other machines: messages in one wrapping or another. */
export class Peer<T> {
  readonly #port: MessagePort;
  readonly #closed: Promise<void>;
  #messages: T[] = [];
  #payloads: ArrayBuffer[] = [];
  #bytes = 0;
  /** Turns are on their way: something was posted just now, or waits. */
  #busy = false;
  #quiet = 0;
  /** When the first parcel that waits came; undefined if something waits that is no parcel. */
  #since: number | undefined;
  #seen = 0;
  open = true;
  undelivered = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    this.#closed = new Promise((resolve) => {
      port.once("close", () => {
        this.open = false;
        this.#flush();
        resolve();
      });
    });
  }

  /**
   * Returns the bytes of the message's payload.
   *
   * @param bytesBeside - of a payload that isn't in the message
   */
  send(wrapped: T, message: LinkMessage, bytesBeside = 0): number {
    if (!this.open) {
      this.undelivered++;
      return 0;
    }
    const first = this.#messages.push(wrapped) === 1;
    let bytes = bytesBeside;
    if (message.kind === "parcel") {
      bytes += message.payload.bytes.byteLength;
      this.#payloads.push(message.payload.bytes);
      this.#bytes += bytes;
      if (first) this.#since = systemClock.monotonic();
    } else {
      this.#since = undefined;
    }
    if (this.#bytes > batchBytes || this.#messages.length >= batchMessages) this.#flush();
    if (!this.#busy) {
      this.#busy = true;
      // With what else is said in one go.
      queueMicrotask(() => this.#flush());
      setImmediate(this.#turn);
    }
    return bytes;
  }

  /** Posts what was gathered, unless parcels have come since the turn before: then more are on their way. */
  readonly #turn = (): void => {
    const count = this.#messages.length;
    this.#quiet = count === 0 ? this.#quiet + 1 : 0;
    if (this.#quiet >= quietTurns) {
      this.#busy = false;
      this.#quiet = 0;
      return;
    }
    setImmediate(this.#turn);
    if (count > this.#seen && this.#since !== undefined && systemClock.monotonic() - this.#since < gatherMs) {
      this.#seen = count;
    } else {
      this.#flush();
    }
  };

  close(): Promise<void> {
    this.#flush();
    this.#port.close();
    return this.#closed;
  }

  #flush(): void {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    const payloads = this.#payloads;
    this.#messages = [];
    this.#payloads = [];
    this.#bytes = 0;
    this.#since = undefined;
    this.#seen = 0;
    if (this.open) this.#port.postMessage(messages, payloads);
    else this.undelivered += messages.length;
  }
}
