import type { LinkMessage } from "../../lib/core/contracts/transport.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { ActorsCode, Program } from "../../lib/core/program.ts";
import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import { emptyMetrics } from "../channel/channel-metrics.ts";
import { HostedActors } from "./hosted-actors.ts";
import { HostedNode } from "./hosted-node.ts";
import type { ChannelOrder, ChannelReport, Order, PrepareOrder, Report } from "./protocol.ts";
import type { SharedParts } from "./slot.ts";

interface Place {
  readonly life: number;
  readonly slot: string;
}

/** What it needs of a slot; the client of a cluster has no more. */
export interface ActorParts extends Pick<SharedParts, "id" | "host" | "clock" | "turns" | "report" | "notes"> {
  readonly transport: Pick<SharedParts["transport"], "send">;
  readonly lineage: Pick<SharedParts["lineage"], "close">;
}

/** What batches are on links that no plan has: those of messages, which count against credit, and those of control. */
const lane = { messages: 0, control: 1 } as const;

/** One slot's part of a system of actors: a node for each host that is here, joined to the nodes of other slots. */
export class SlotActors extends HostedActors {
  readonly #order: PrepareOrder;
  readonly #parts: ActorParts;
  readonly #program: Program;
  /** Where each channel is: of the hosts, and of who started the system. */
  readonly #live: Place[][];
  readonly #slots = new Map<number, string>();
  readonly #nodes = new Map<number, HostedNode>();
  readonly #over = new Set<number>();
  /** The slots that there are. */
  #places: readonly SlotPlace[];
  #isStarted = false;
  #staleMessages = 0;

  constructor(order: PrepareOrder, program: Program, parts: ActorParts) {
    super(order.execution, parts.id);
    this.#order = order;
    this.#parts = parts;
    this.#program = program;
    this.#places = order.places ?? [];
    let number = 0;
    // A channel's first life has its number.
    this.#live = order.placement.map((channels) =>
      channels.map((slot) => ({ life: number++, slot: order.slots[slot] ?? "" })),
    );
    for (const { life, slot } of this.#live.flat()) this.#slots.set(life, slot);
    for (const channel of order.channels) this.#add(channel, true);
  }

  get dropped(): HostedActors["dropped"] {
    let staleMessages = this.#staleMessages;
    for (const { distant } of this.#nodes.values()) staleMessages += distant.staleMessages;
    return { staleMessages, repeatedParcels: 0 };
  }

  start(): void {
    this.#isStarted = true;
    for (const hosted of this.#nodes.values()) hosted.start();
  }

  receive(message: LinkMessage): void {
    const isDownstream = message.kind === "parcel" || message.kind === "end";
    const [own, other] = isDownstream ? [message.consumer, message.producer] : [message.producer, message.consumer];
    const hosted = this.#nodes.get(own);
    if (hosted === undefined || this.#over.has(other)) {
      this.#staleMessages++;
      return;
    }
    const { distant } = hosted;
    if (message.kind === "parcel") distant.receive(other, message.payload, message.edge === lane.messages);
    else if (message.kind === "credit") distant.granted(other, message.objects, message.bytes);
    else if (message.kind === "open") distant.greeted(other, message.after > 0);
  }

  survey({ round, lost }: Extract<Order, { kind: "survey" }>): Extract<Report, { kind: "surveyed" }> {
    for (const life of lost) {
      this.#over.add(life);
      const ended = this.#nodes.get(life);
      this.#nodes.delete(life);
      ended?.close();
    }
    for (const { distant } of this.#nodes.values()) distant.lost(lost);
    return this.surveyed(round);
  }

  async recover({ placed, channels, places: slots }: Extract<Order, { kind: "recover" }>): Promise<void> {
    for (const { step, channel, life, slot } of placed) {
      const places = this.#live[step];
      if (places === undefined || places[channel]?.life === life) continue;
      places[channel] = { life, slot };
      this.#slots.set(life, slot);
    }
    if (slots !== undefined) this.#know(slots);
    const added = channels.map((channel) => this.#add(channel, false));
    // What waits for a host that is in this slot now goes there.
    for (const { distant } of this.#nodes.values()) {
      this.#hosts().forEach(({ life, slot }, channel) => {
        if (!this.#over.has(life)) distant.placed(channel, life, slot);
      });
    }
    for (const hosted of this.#nodes.values()) hosted.moved();
    for (const hosted of added) {
      hosted.distant.greetAll();
      if (this.#isStarted) hosted.start();
    }
    await Promise.resolve();
  }

  channelReports(): ChannelReport[] {
    return [...this.#nodes.values()].map(({ step, channel, node }) => {
      const { handled, counters } = node.metrics;
      const metrics = { ...emptyMetrics(), tasks: handled, counters: { ...counters } };
      return { step, channel, state: "running", metrics };
    });
  }

  async release(reason?: Error): Promise<void> {
    for (const hosted of this.#nodes.values()) hosted.close(reason);
    this.#nodes.clear();
    this.#parts.turns.leave(this.id);
    this.#parts.lineage.close(this.id);
    await Promise.resolve();
  }

  #know(slots: readonly SlotPlace[]): void {
    this.#places = slots;
    for (const { distant } of this.#nodes.values()) distant.knowSlots(slots);
  }

  #hosts(): readonly Place[] {
    return this.#live[0] ?? [];
  }

  #add({ step, channel, life }: ChannelOrder, isFirst: boolean): HostedNode {
    const code = this.#program.steps[step];
    invariant(code?.kind === "actors", `step ${step} has no actors`);
    const hosted = new HostedNode({
      execution: this.id,
      step,
      channel,
      life,
      code: code as ActorsCode,
      hosts: this.#hosts(),
      places: this.#places,
      clientLife: this.#live[1]?.[0]?.life ?? -1,
      seed: this.#order.seed,
      isFirst,
      shared: this.#parts,
      link: {
        send: (to, seq, payload, isBulk) => this.#send(life, to, seq, payload, isBulk),
        grant: (to, rows, bytes) => this.#tell(life, to, { kind: "credit", objects: rows, bytes }),
        greet: (to, isAnswer) => this.#tell(life, to, { kind: "open", after: isAnswer ? 1 : 0, objects: 0, bytes: 0 }),
      },
      closed: (metrics) => {
        const channels = [{ step, channel, life, metrics }];
        this.#parts.report({ kind: "channels-done", execution: this.id, slot: this.#parts.id, channels });
      },
    });
    this.#nodes.set(life, hosted);
    return hosted;
  }

  #send(from: number, to: number, seq: number, payload: Payload, isBulk: boolean): void {
    const edge = isBulk ? lane.messages : lane.control;
    const address = { execution: this.id, edge, from: 0, to: 0, producer: from, consumer: to };
    this.#transfer(to, { ...address, kind: "parcel", seq, previous: seq - 1, payload });
  }

  #tell(
    from: number,
    to: number,
    message:
      | { kind: "credit"; objects: number; bytes: number }
      | { kind: "open"; after: number; objects: number; bytes: number },
  ): void {
    const address = { execution: this.id, edge: 0, from: 0, to: 0, producer: to, consumer: from };
    this.#transfer(to, { ...address, ...message });
  }

  #transfer(to: number, message: LinkMessage): void {
    const slot = this.#slots.get(to);
    if (slot === undefined || this.#over.has(to)) return;
    if (slot !== this.#parts.id) this.#parts.transport.send(slot, message);
    // Several hosts are in one slot after a loss.
    else this.#parts.clock.soon(() => this.receive(message));
  }
}
