import type { LinkAddress, LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { LinkTarget, OutgoingLink } from "../channel/outgoing-link.ts";
import type { Channel } from "../channel/channel.ts";
import type { Opening } from "../channel/inputs.ts";
import { encodeContent } from "../channel/spool.ts";
import type { LifePlace, LinkOrder, LinkSurvey, PlacedLife } from "./protocol.ts";

/** A life that runs here, as its links see it. */
export interface Hosted {
  readonly life: number;
  readonly step: number;
  readonly index: number;
  readonly channel: Channel;
  /** By edge, then by consuming channel. */
  readonly links: Map<number, readonly OutgoingLink[]>;
  /** Producers other than the live ones, by `edge:from`. */
  readonly sources: Map<string, Source>;
  /** The consumer of each link, by `edge:to`, where it isn't the live one. */
  readonly consumers: Map<string, LifePlace>;
}

/** Who sends on a link: nobody, or a life that makes older parcels again before the live one takes over. */
interface Source {
  readonly place: LifePlace | undefined;
  readonly through: number;
}

/** A message on a link, without its address. */
type Upstream =
  | ({ readonly kind: "open" } & Opening)
  | { readonly kind: "credit"; readonly objects: number; readonly bytes: number }
  | { readonly kind: "cancel" };

/** The plan's edges, as far as links need them. */
interface Edges {
  readonly edges: readonly { readonly from: number; readonly to: number }[];
  readonly inputOf: (step: number, edge: number) => number;
}

/**
 * The links of an execution in one slot: who is at the other end of each, and whose messages are refused. Every message names
 * the lives of both channels; one of a life that is no longer connected is counted and dropped.
 */
export class Links {
  readonly #execution: string;
  readonly #slot: string;
  readonly #transport: Transport;
  readonly #plan: Edges;
  /** The live life of each channel, by step. */
  readonly #live: LifePlace[][];
  readonly #hosted = new Map<number, Hosted>();
  /** Lives that are over: what they still say is too late, also before another life is placed. */
  readonly #over = new Set<number>();
  /** Messages of or for lives that are over. */
  staleMessages = 0;
  /** Parcels that came once more. */
  repeatedParcels = 0;

  constructor(parts: {
    readonly execution: string;
    readonly slot: string;
    readonly transport: Transport;
    readonly plan: Edges;
    readonly live: LifePlace[][];
  }) {
    this.#execution = parts.execution;
    this.#slot = parts.slot;
    this.#transport = parts.transport;
    this.#plan = parts.plan;
    this.#live = parts.live;
  }

  get hosted(): Iterable<Hosted> {
    return this.#hosted.values();
  }

  add(hosted: Hosted): void {
    this.#hosted.set(hosted.life, hosted);
  }

  find(life: number): Hosted | undefined {
    return this.#hosted.get(life);
  }

  remove(life: number): void {
    this.#hosted.delete(life);
  }

  receive(message: LinkMessage): void {
    switch (message.kind) {
      case "parcel":
      case "end":
        this.#downstream(message);
        return;
      case "open":
      case "credit":
      case "cancel":
        this.#upstream(message);
    }
  }

  /** The end of a link that its producer sends to. */
  target(producer: number, edge: number, from: number, to: number, other?: LifePlace): LinkTarget {
    const consumer = other ?? this.#liveOf(this.#plan.edges[edge]?.to, to);
    const local = consumer.slot === this.#slot;
    const address = { execution: this.#execution, edge, from, to, producer, consumer: consumer.life };
    return {
      local,
      slot: consumer.slot,
      parcel: (parcel) => {
        if (local) {
          this.#parcel(address, parcel);
          return;
        }
        const { seq, previous, content } = parcel;
        // A parcel may have been made for a consumer in this slot, which was lost since.
        const payload = "payload" in content ? content.payload : encodeContent(content.objects);
        this.#transport.send(consumer.slot, {
          // Property by property: to spread an address takes longer than all the rest of this.
          execution: this.#execution,
          edge,
          from,
          to,
          producer,
          consumer: consumer.life,
          kind: "parcel",
          seq,
          previous,
          payload,
        });
      },
      end: (previous) => {
        if (local) this.#end(address, previous);
        else this.#transport.send(consumer.slot, { ...address, kind: "end", previous });
      },
    };
  }

  /** Tells whoever sends on a link something. */
  tellProducer(hosted: Hosted, edge: number, from: number, message: Upstream): void {
    const source = this.#sourceOf(hosted, edge, from);
    if (source === undefined) return;
    this.#tell(source, hosted, edge, from, message);
  }

  /** Lives are over: nothing is taken from them any more, and nothing sent to them. Says where their links stand. */
  cut(lost: ReadonlySet<number>): { readonly consumers: LinkSurvey[]; readonly producers: LinkSurvey[] } {
    const consumers: LinkSurvey[] = [];
    const producers: LinkSurvey[] = [];
    for (const life of lost) this.#over.add(life);
    for (const hosted of this.#hosted.values()) {
      this.#cutInputs(hosted, lost, consumers);
      this.#cutOutputs(hosted, lost, producers);
    }
    return { consumers, producers };
  }

  /** Tells which lives are live now: links to new ones wait until they are opened. */
  place(placed: readonly PlacedLife[]): void {
    const moved = new Set<number>();
    for (const { step, channel, life, slot } of placed) {
      const channels = this.#live[step];
      if (channels === undefined || channels[channel]?.life === life) continue;
      channels[channel] = { life, slot };
      moved.add(life);
    }
    for (const hosted of this.#hosted.values()) {
      for (const [edge, links] of hosted.links) {
        links.forEach((link, to) => {
          const consumer = this.#liveOf(this.#plan.edges[edge]?.to, to);
          if (!moved.has(consumer.life) || hosted.consumers.has(`${edge}:${to}`)) return;
          link.redirect(this.target(hosted.life, edge, hosted.index, to));
        });
      }
    }
  }

  /** Opens a link to whoever makes what it lacks. */
  connect({ consumer, edge, from, replay }: LinkOrder): void {
    const hosted = this.#hosted.get(consumer);
    if (hosted === undefined) return;
    const key = `${edge}:${from}`;
    if (replay === undefined) hosted.sources.delete(key);
    else hosted.sources.set(key, { place: { life: replay.life, slot: replay.slot }, through: replay.through });
    this.#open(hosted, edge, from);
  }

  /** A life that made outputs again needs nothing more: neither do those that made its inputs again. */
  cancelInputs(hosted: Hosted): void {
    for (const key of hosted.sources.keys()) {
      const [edge = -1, from = -1] = key.split(":").map(Number);
      this.tellProducer(hosted, edge, from, { kind: "cancel" });
    }
  }

  /** A channel wants no more of a link: neither of whoever makes older parcels again, nor of the live producer behind that. */
  cancelInput(hosted: Hosted, edge: number, from: number): void {
    this.tellProducer(hosted, edge, from, { kind: "cancel" });
    const key = `${edge}:${from}`;
    // A life that itself only makes outputs again never gets to the live producer.
    if (hosted.consumers.size > 0 || hosted.sources.get(key)?.place === undefined) return;
    hosted.sources.delete(key);
    this.tellProducer(hosted, edge, from, { kind: "cancel" });
  }

  #open(hosted: Hosted, edge: number, from: number): void {
    const opening = hosted.channel.opening(this.#plan.inputOf(hosted.step, edge), from);
    if (opening === undefined) this.cancelInput(hosted, edge, from);
    else this.tellProducer(hosted, edge, from, { kind: "open", ...opening });
  }

  #cutInputs(hosted: Hosted, lost: ReadonlySet<number>, surveys: LinkSurvey[]): void {
    const { life, step, index } = hosted;
    for (const [edge, { from: producer, to }] of this.#plan.edges.entries()) {
      if (to !== step) continue;
      const input = this.#plan.inputOf(step, edge);
      const channels = this.#live[producer]?.length ?? 0;
      for (let from = 0; from < channels; from++) {
        const source = this.#sourceOf(hosted, edge, from);
        if (source !== undefined && !lost.has(source.life)) continue;
        hosted.sources.set(`${edge}:${from}`, { place: undefined, through: -1 });
        surveys.push({ life, edge, from, to: index, seq: hosted.channel.received(input, from) });
      }
    }
  }

  #cutOutputs(hosted: Hosted, lost: ReadonlySet<number>, surveys: LinkSurvey[]): void {
    const { life, index } = hosted;
    for (const [edge, links] of hosted.links) {
      links.forEach((link, to) => {
        const consumer = this.#liveOf(this.#plan.edges[edge]?.to, to);
        if (lost.has(consumer.life)) link.redirect(nowhere);
        // A link that its consumer has cancelled sends nothing, whatever is still made for it.
        if (!link.opened && !link.cancelled) surveys.push({ life, edge, from: index, to, seq: link.heldAfter });
      });
    }
  }

  #downstream(message: Extract<LinkMessage, { kind: "parcel" | "end" }>): void {
    if (message.kind === "end") {
      this.#end(message, message.previous);
      return;
    }
    const { payload, seq, previous, from } = message;
    const { rows, bytes } = payload;
    const columnar = payload.format === "batch";
    this.#parcel(message, { from, seq, previous, rows, bytes: bytes.byteLength, columnar, content: { payload } });
  }

  #parcel(address: LinkAddress, parcel: Parameters<LinkTarget["parcel"]>[0]): void {
    const hosted = this.#consumerOf(address);
    if (hosted === undefined) return;
    const { edge, from } = address;
    if (!hosted.channel.receive(this.#plan.inputOf(hosted.step, edge), parcel)) this.repeatedParcels++;
    if (hosted.sources.size === 0) return;
    const source = hosted.sources.get(`${edge}:${from}`);
    if (source === undefined || parcel.seq < source.through) return;
    // All that was to be made again is here: the live producer goes on.
    this.tellProducer(hosted, edge, from, { kind: "cancel" });
    hosted.sources.delete(`${edge}:${from}`);
    this.#open(hosted, edge, from);
  }

  #end(address: LinkAddress, previous: number): void {
    const hosted = this.#consumerOf(address);
    hosted?.channel.inputEnded(this.#plan.inputOf(hosted.step, address.edge), address.from, previous);
  }

  #consumerOf(address: LinkAddress): Hosted | undefined {
    const hosted = this.#hosted.get(address.consumer);
    const isLink = hosted !== undefined && this.#isInput(hosted, address);
    const source = isLink ? this.#sourceOf(hosted, address.edge, address.from) : undefined;
    if (source?.life === address.producer) return hosted;
    this.staleMessages++;
    return undefined;
  }

  /** Whether the plan has such a link: another machine may say anything. */
  #isInput({ step, index }: Hosted, { edge, from, to }: LinkAddress): boolean {
    const between = this.#plan.edges[edge];
    return between?.to === step && to === index && this.#live[between.from]?.[from] !== undefined;
  }

  #upstream(message: Extract<LinkMessage, { kind: "open" | "credit" | "cancel" }>): void {
    const { edge, to } = message;
    const hosted = this.#hosted.get(message.producer);
    const link = hosted?.links.get(edge)?.[to];
    if (hosted === undefined || link === undefined || this.#over.has(message.consumer)) {
      this.staleMessages++;
      return;
    }
    const consumer = hosted.consumers.get(`${edge}:${to}`) ?? this.#liveOf(this.#plan.edges[edge]?.to, to);
    if (consumer.life !== message.consumer) {
      this.staleMessages++;
      return;
    }
    switch (message.kind) {
      case "open":
        hosted.channel.opened(link, message.after, message.objects, message.bytes);
        return;
      case "credit":
        hosted.channel.granted(link, message.objects, message.bytes);
        return;
      case "cancel":
        hosted.channel.linkCancelled(link);
    }
  }

  #tell(source: LifePlace, hosted: Hosted, edge: number, from: number, message: Upstream): void {
    const address = {
      execution: this.#execution,
      edge,
      from,
      to: hosted.index,
      producer: source.life,
      consumer: hosted.life,
    };
    if (source.slot === this.#slot) this.#upstream({ ...address, ...message });
    else this.#transport.send(source.slot, { ...address, ...message });
  }

  #sourceOf(hosted: Hosted, edge: number, from: number): LifePlace | undefined {
    if (hosted.sources.size > 0) {
      const source = hosted.sources.get(`${edge}:${from}`);
      if (source !== undefined) return source.place;
    }
    return this.#liveOf(this.#plan.edges[edge]?.from, from);
  }

  #liveOf(step: number | undefined, channel: number): LifePlace {
    const place = this.#live[step ?? -1]?.[channel];
    invariant(place !== undefined, `the plan has no channel ${channel} of step ${step}`);
    return place;
  }
}

/** A link whose consumer is lost: it is redirected before anything is sent again. */
const nowhere: LinkTarget = { local: false, slot: "", parcel: () => {}, end: () => {} };
