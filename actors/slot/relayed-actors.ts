import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import type { ChannelMetrics } from "../channel/channel-metrics.ts";
import { HostedActors } from "./hosted-actors.ts";
import type { ChannelReport, Order, PrepareOrder, Report } from "./protocol.ts";
import type { SharedParts } from "./slot.ts";

/** What the driver of a system of actors and its client, which is in another process, tell each other. */
export type ToActorsClient =
  | { readonly kind: "order"; readonly order: Order }
  | { readonly kind: "link"; readonly message: LinkMessage };
export type FromActorsClient =
  | { readonly kind: "link"; readonly to: string; readonly message: LinkMessage }
  /** All of its actors have ended. */
  | { readonly kind: "closed"; readonly metrics: ChannelMetrics };

/** The way to the client of a system of actors. */
export interface ActorsRelay {
  tell: (content: ToActorsClient) => void;
  /** Sets who gets what the client tells. */
  receive: (handler: ((content: FromActorsClient) => void) | undefined) => void;
}

/** The slot's part of a system of actors whose client is in another process: what is for the client's node goes there as it is. */
export class RelayedActors extends HostedActors {
  /** Where hosts are, or have been. */
  readonly #hosts: Set<string>;
  readonly #parts: SharedParts;
  readonly #relay: ActorsRelay;
  #staleMessages = 0;
  /** The present life of the client's node. */
  #life: number;

  constructor(order: PrepareOrder, parts: SharedParts, relay: ActorsRelay) {
    super(order.execution, parts.id);
    this.#hosts = new Set(order.slots);
    this.#parts = parts;
    this.#relay = relay;
    // A channel's first life has its number, and the client's is the only one behind those of the hosts.
    this.#life = order.placement[0]?.length ?? 0;
    relay.receive((content) => this.#told(content));
    relay.tell({ kind: "order", order });
  }

  get dropped(): HostedActors["dropped"] {
    return { staleMessages: this.#staleMessages, repeatedParcels: 0 };
  }

  start(): void {
    this.#relay.tell({ kind: "order", order: { kind: "start", execution: this.id } });
  }

  receive(message: LinkMessage): void {
    this.#relay.tell({ kind: "link", message });
  }

  survey(order: Extract<Order, { kind: "survey" }>): Extract<Report, { kind: "surveyed" }> {
    this.#relay.tell({ kind: "order", order });
    return this.surveyed(order.round);
  }

  async recover(order: Extract<Order, { kind: "recover" }>): Promise<void> {
    for (const { step, life } of order.channels) if (step === 1) this.#life = life;
    for (const { slot } of order.placed) this.#hosts.add(slot);
    this.#relay.tell({ kind: "order", order });
    await Promise.resolve();
  }

  channelReports(): ChannelReport[] {
    return [];
  }

  async release(): Promise<void> {
    this.#relay.tell({ kind: "order", order: { kind: "release", execution: this.id } });
    this.#relay.receive(undefined);
    this.#parts.lineage.close(this.id);
    await Promise.resolve();
  }

  #told(content: FromActorsClient): void {
    if (content.kind === "closed") {
      const channels = [{ step: 1, channel: 0, life: this.#life, metrics: content.metrics }];
      this.#parts.report({ kind: "channels-done", execution: this.id, slot: this.#parts.id, channels });
      return;
    }
    const { to, message } = content;
    if (!this.#isOwn(message) || to === this.#parts.id || !this.#hosts.has(to)) {
      this.#staleMessages++;
      return;
    }
    this.#parts.transport.send(to, { ...message, execution: this.id });
  }

  /** Whether the client speaks for its own node: it may say anything. */
  #isOwn(message: LinkMessage): boolean {
    const { kind, producer, consumer } = message;
    if (kind === "parcel") return producer === this.#life && message.payload.bytes instanceof ArrayBuffer;
    return (kind === "credit" || kind === "open") && consumer === this.#life;
  }
}

/** The driver's end of the way to a client. What it tells after the system has ended is dropped. */
export class DriverRelay implements ActorsRelay {
  readonly tell: ActorsRelay["tell"];
  #handler: ((content: FromActorsClient) => void) | undefined;

  constructor(tell: ActorsRelay["tell"]) {
    this.tell = tell;
  }

  receive(handler: ((content: FromActorsClient) => void) | undefined): void {
    this.#handler = handler;
  }

  /** The client tells something: it may be anything, and does no harm. */
  told(content: FromActorsClient): void {
    try {
      if (content.kind === "link" || content.kind === "closed") this.#handler?.(content);
    } catch {
      // Nobody can take it.
    }
  }
}
