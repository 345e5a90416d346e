import type { MessagePort } from "node:worker_threads";
import type { LinkMessage, Transport } from "../../../lib/core/contracts/transport.ts";
import { collectYoung } from "../collect-young.ts";
import { unpack } from "../compression.ts";
import { Inbox } from "../inbox.ts";
import { Peer, type Addressed } from "../port-transport.ts";
import { payloadAt, type SharedPlace } from "../shared-ring.ts";
import { taking } from "./refusal.ts";
import type { Wire } from "./wire.ts";

/** The machine that a slot is on: names of slots begin with it. */
export function machineOf(slot: string): string {
  return slot.slice(0, slot.indexOf("/"));
}

/** The name of a slot of a machine. */
export function slotOn(machine: string, slot: string | number): string {
  return `${machine}/${slot}`;
}

/** Hands messages between the slots of a machine, which are threads or in this thread, and its wire. */
export class SlotsOnWire {
  readonly #ports = new Map<string, Peer<Addressed>>();
  readonly #own = new Map<string, WireTransport>();
  /** Messages for slots that aren't here (any more). */
  unclaimed = 0;

  /** Connects a slot's thread. */
  connect(slot: string, port: MessagePort, wire: Wire): void {
    this.#ports.set(slot, new Peer(port));
    port.on("message", (messages: readonly Addressed[]) => {
      for (const { slot: to, message, place, unreadable } of messages) {
        if (unreadable === undefined) this.#send(wire, to, slot, message, place);
        else wire.unreadable(machineOf(to));
      }
    });
    port.once("close", () => this.#ports.delete(slot));
  }

  #send(wire: Wire, to: string, from: string, message: LinkMessage, place?: SharedPlace): void {
    const machine = machineOf(to);
    if (message.kind === "parcel") collectYoung(message.payload.bytes.byteLength);
    const payload = place && payloadAt(place);
    if (machine !== wire.machine) {
      wire.sendLink(machine, to, from, message, payload);
      return;
    }
    // A slot of this machine that another has no port to (any more).
    if (payload === undefined || message.kind !== "parcel") this.deliver(to, from, message);
    else {
      this.deliver(to, from, { ...message, payload: { ...message.payload, bytes: payload.bytes.slice().buffer } });
      payload.release();
    }
  }

  /** The transport of a slot in this thread. */
  transport(slot: string, wire: Wire): Transport {
    const transport = new WireTransport(slot, wire, () => this.#own.delete(slot));
    this.#own.set(slot, transport);
    return transport;
  }

  /** A message came from another machine. */
  deliver(to: string, from: string, message: LinkMessage): void {
    const port = this.#ports.get(to);
    const own = this.#own.get(to);
    if (port !== undefined) port.send({ slot: from, message }, message);
    else if (own !== undefined) own.deliver(message, from);
    else this.unclaimed++;
  }
}

class WireTransport implements Transport {
  readonly slot: string;
  readonly #wire: Wire;
  readonly #inbox = new Inbox();
  readonly #closed: () => void;
  bytesSent = 0;

  constructor(slot: string, wire: Wire, closed: () => void) {
    this.slot = slot;
    this.#wire = wire;
    this.#closed = closed;
  }

  send(to: string, message: LinkMessage): void {
    this.#wire.sendLink(machineOf(to), to, this.slot, message);
    if (message.kind === "parcel") this.bytesSent += message.payload.bytes.byteLength;
  }

  receive(handler: (message: LinkMessage, from: string) => void): void {
    this.#inbox.receive(handler);
  }

  deliver(message: LinkMessage, from: string): void {
    const unpacked = taking(() => unpack(message));
    this.#inbox.deliver(unpacked, from);
  }

  close(): Promise<void> {
    this.#inbox.close();
    this.#closed();
    return Promise.resolve();
  }
}
