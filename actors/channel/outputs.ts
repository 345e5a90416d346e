import { crc32 } from "node:zlib";
import { loadedBatches, representationOf, type BatchSupport } from "../../lib/core/batch/index.ts";
import { assertTravels, encodeObjects, estimateBytes } from "../../lib/core/codec/index.ts";
import type { Produced } from "../../lib/core/contracts/lineage.ts";
import type { RoutedTask } from "../../lib/core/contracts/partition.ts";
import { invariant } from "../../lib/core/errors.ts";
import type { Payload } from "../../lib/core/payload.ts";
import type { EdgeContext } from "../../lib/core/program.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";
import { EdgeFunctions, expansionOf, type EdgeObjects, type OutgoingEdge } from "./edge-functions.ts";
import { encodeMark, Mark, type MarkData } from "./mark.ts";
import type { OutgoingLink } from "./outgoing-link.ts";
import type { Parcel } from "./parcel.ts";

export { applyFunction, type EdgeObjects, type OutgoingEdge } from "./edge-functions.ts";

const nothing = { objects: [] };

/** Links over which a task is spread, at most: beyond, parcels get smaller. */
const fanOutMax = 16;

export interface OutputsOptions {
  /** Index of the channel within its step. */
  readonly channel?: number;
  /** Whether encoded parcels get a checksum, which the lineage keeps. */
  readonly checksums?: boolean;
  /** Whether functions that change their objects are found. */
  readonly strict?: boolean;
}

/** A parcel that waits for its task to be committed. One for a link that is closed is only counted. */
export interface Outgoing {
  readonly link: OutgoingLink;
  readonly parcel: Parcel;
  /** CRC-32 of an encoded payload, for replay to compare with; 0 where there is none. */
  readonly checksum: number;
}

/**
 * The outputs of a channel: a tree of edge functions for each port, with partition functions at its leaves. Edges that share
 * functions run them once.
 */
export class Outputs {
  readonly links: readonly OutgoingLink[];
  readonly #functions: EdgeFunctions;
  readonly #metrics: ChannelMetrics;
  readonly #channel: number;
  readonly #checksums: boolean;
  #open: number;
  /** Objects that the functions on the edges made of each in the last task, at least one. */
  #expansion = 1;

  constructor(edges: readonly OutgoingEdge[], metrics: ChannelMetrics, options: OutputsOptions = {}) {
    const { channel = 0, checksums = false, strict = false } = options;
    this.#channel = channel;
    this.#checksums = checksums;
    this.links = edges.flatMap((edge) => edge.links);
    this.#open = this.links.filter((link) => !link.closed).length;
    this.#metrics = metrics;
    this.#functions = new EdgeFunctions(edges, strict);
  }

  /** False while any open link has no credit. */
  get ready(): boolean {
    for (const link of this.links) if (link.blocks) return false;
    return true;
  }

  /** Edges that the channel waits for: without credit, or with parcels that aren't on their way yet. */
  waiting(): number[] {
    const waiting = this.links.filter((link) => link.blocks || (!link.closed && !link.drained));
    return [...new Set(waiting.map((link) => link.edge))];
  }

  /** True if every consumer has said that it wants no more. */
  get unwanted(): boolean {
    return this.#open === 0 && this.links.length > 0;
  }

  /**
   * How many objects the next task should make, so that parcels hold about `parcelObjects`: more where they are spread over
   * many links, fewer where the functions on the edges made several of each in the task before.
   */
  taskObjects(parcelObjects: number): number {
    return Math.max(1, Math.floor((parcelObjects * Math.min(fanOutMax, this.#functions.fanOut)) / this.#expansion));
  }

  /** Runs the functions on the edges of a port over a task's objects. */
  applyFunctions(port: string, objects: readonly unknown[], ctx: EdgeContext): EdgeObjects[] {
    const made = this.#functions.apply(port, objects, ctx);
    if (port === "out" && objects.length > 0) this.#expansion = expansionOf(made, objects.length);
    return made;
  }

  /** Runs partition functions over what the edges' functions made, and encodes what leaves the slot. Nothing is sent yet. */
  route(made: readonly EdgeObjects[], task: RoutedTask): Outgoing[] {
    const outgoing: Outgoing[] = [];
    for (const part of made) this.#routeEdge(part, task, outgoing);
    return outgoing;
  }

  /** Parcels with a mark, for all channels of a loop. */
  mark(edge: number, data: MarkData, seq: number): Outgoing[] {
    const mark = new Mark(data);
    // A vote that is an object may change in the operator, or as it is merged: each channel gets one of its own.
    // And each a payload of its own: what goes to another thread is gone from here.
    const isShared = typeof data.vote === "object" && data.vote !== null;
    return this.links
      .filter((link) => link.edge === edge)
      .map((link) => {
        const stays = link.target.local || link.closed;
        const payload = stays && !isShared ? undefined : encodeMark(mark);
        const content = payload === undefined ? { objects: [mark] } : { payload };
        const bytes = payload?.bytes.byteLength ?? estimateBytes(mark);
        const parcel = this.#numbered(link, { seq, rows: 0, bytes, columnar: false, content });
        return { link, parcel, checksum: payload === undefined ? 0 : (this.#checksumOf(payload) ?? 0) };
      });
  }

  /** True if all consumers but those of one edge want no more. */
  isUnwantedBut(edge: number): boolean {
    return this.links.every((link) => link.edge === edge || link.cancelled);
  }

  linkClosed(link: OutgoingLink): void {
    const wasOpen = !link.closed;
    link.close();
    if (wasOpen) this.#open--;
  }

  /** Seq of the last parcel made for each link. */
  positions(): number[] {
    return this.links.map((link) => link.madeSeq);
  }

  /** Starts behind what an earlier life had made by its checkpoint. */
  restore(positions: readonly number[]): void {
    this.links.forEach((link, index) => link.restore(positions[index] ?? -1));
  }

  #routeEdge({ edge, objects, routed }: EdgeObjects, task: RoutedTask, outgoing: Outgoing[]): void {
    if (routed !== undefined) {
      this.#addTargets(edge, routed.targets, estimateBytes(objects[0]), task.seq, outgoing);
      return;
    }
    const support = loadedBatches();
    if (support !== undefined && representationOf(objects[0]) !== undefined) {
      const batch = objects.length === 1 ? objects[0] : support.concat(objects);
      this.#routeBatch(edge, batch, support, task, outgoing);
      return;
    }
    const targets: unknown[][] = edge.links.map(() => []);
    const decision = edge.router.objects(objects as readonly never[], targets, task);
    const perObject = estimateBytes(objects[0]);
    if (decision === undefined) {
      this.#addTargets(edge, targets, perObject, task.seq, outgoing);
    } else if (decision === "all") {
      this.#broadcastObjects(edge, objects, perObject, task.seq, outgoing);
    } else {
      this.#addObjects(linkTo(edge, decision), objects, perObject, task.seq, outgoing);
    }
  }

  #addTargets(
    { links }: OutgoingEdge,
    targets: readonly unknown[][],
    perObject: number,
    seq: number,
    outgoing: Outgoing[],
  ): void {
    for (let to = 0; to < targets.length; to++) {
      const part = targets[to] as unknown[];
      if (part.length > 0) this.#addObjects(links[to], part, perObject, seq, outgoing);
    }
  }

  #addObjects(
    link: OutgoingLink | undefined,
    objects: readonly unknown[],
    perObject: number,
    seq: number,
    outgoing: Outgoing[],
    encoded?: Payload,
  ): void {
    if (link === undefined || this.#skipsClosed(link, objects.length, seq, outgoing)) return;
    if (link.target.local) {
      if (link.takeFirst()) assertTravels(objects[0]);
      const bytes = perObject * objects.length;
      this.#count(objects.length, 0, bytes, 0);
      const parcel = this.#numbered(link, { seq, rows: objects.length, bytes, columnar: false, content: { objects } });
      outgoing.push({ link, parcel, checksum: 0 });
      return;
    }
    this.#addPayload(link, encoded ?? encodeObjects(objects), seq, outgoing);
  }

  #addPayload(link: OutgoingLink, payload: Payload, seq: number, outgoing: Outgoing[]): void {
    const columnar = payload.format === "batch";
    const bytes = payload.bytes.byteLength;
    this.#count(payload.rows, columnar ? 1 : 0, bytes, link.target.local ? 0 : bytes);
    const checksum = this.#checksumOf(payload);
    const { format, rows } = payload;
    const content = { payload: checksum === undefined ? payload : { format, rows, bytes: payload.bytes, checksum } };
    const parcel = this.#numbered(link, { seq, rows: payload.rows, bytes, columnar, content });
    outgoing.push({ link, parcel, checksum: checksum ?? 0 });
  }

  #numbered(link: OutgoingLink, parcel: Omit<Parcel, "from" | "previous">): Parcel {
    // Property by property: to spread an object takes some microseconds.
    const { seq, rows, bytes, columnar, content } = parcel;
    return { from: this.#channel, seq, previous: link.make(parcel), rows, bytes, columnar, content };
  }

  #checksumOf(payload: Payload): number | undefined {
    return this.#checksums && payload.cloned !== true ? crc32(new Uint8Array(payload.bytes)) : undefined;
  }

  /** Notes what a closed link would have got: a task that is run again can't know when it was closed. */
  #skipsClosed(link: OutgoingLink, rows: number, seq: number, outgoing: Outgoing[]): boolean {
    if (!link.closed) return false;
    const parcel = this.#numbered(link, { seq, rows, bytes: 0, columnar: false, content: nothing });
    outgoing.push({ link, parcel, checksum: 0 });
    return true;
  }

  #broadcastObjects(
    edge: OutgoingEdge,
    objects: readonly unknown[],
    perObject: number,
    seq: number,
    outgoing: Outgoing[],
  ): void {
    let payload: Payload | undefined;
    for (const link of edge.links) {
      if (!link.closed && !link.target.local)
        payload = payload === undefined ? encodeObjects(objects) : copyOf(payload);
      this.#addObjects(link, objects, perObject, seq, outgoing, payload);
    }
  }

  #routeBatch(edge: OutgoingEdge, batch: unknown, support: BatchSupport, task: RoutedTask, outgoing: Outgoing[]): void {
    const rows = support.rows(batch);
    const channelOfRow = new Uint16Array(edge.links.length === 1 ? 0 : rows);
    if (edge.links.length === 1) {
      this.#addBatch(edge.links[0], batch, support, task.seq, outgoing);
      return;
    }
    const decision = edge.router.batch(support.view(batch), channelOfRow, task);
    if (decision === "all") {
      for (const link of edge.links) this.#addBatch(link, batch, support, task.seq, outgoing);
    } else if (typeof decision === "number") {
      this.#addBatch(linkTo(edge, decision), batch, support, task.seq, outgoing);
    } else if (decision === undefined) {
      this.#gather(edge, batch, channelOfRow, support, task.seq, outgoing);
    } else {
      this.#addSlices(edge, decision, support, task.seq, outgoing);
    }
  }

  #gather(
    edge: OutgoingEdge,
    batch: unknown,
    channelOfRow: Uint16Array,
    support: BatchSupport,
    seq: number,
    outgoing: Outgoing[],
  ): void {
    const { links } = edge;
    if (links.every((link) => link.target.local || link.closed)) {
      const parts = support.gather(batch, channelOfRow, links.length);
      parts.forEach((part, to) => {
        if (part !== undefined) this.#addBatch(links[to], part, support, seq, outgoing);
      });
      return;
    }
    const payloads = support.encodeGathered(batch, channelOfRow, links.length);
    payloads.forEach((payload, to) => {
      const link = links[to];
      if (payload === undefined || link === undefined || this.#skipsClosed(link, payload.rows, seq, outgoing)) return;
      this.#addPayload(link, payload, seq, outgoing);
    });
  }

  #addSlices(
    edge: OutgoingEdge,
    slices: readonly (readonly [number, unknown])[],
    support: BatchSupport,
    seq: number,
    outgoing: Outgoing[],
  ): void {
    const parts = new Map<number, unknown[]>();
    for (const [to, part] of slices) {
      const list = parts.get(to);
      if (list === undefined) parts.set(to, [part]);
      else list.push(part);
    }
    for (const [to, list] of parts) {
      this.#addBatch(linkTo(edge, to), list.length === 1 ? list[0] : support.concat(list), support, seq, outgoing);
    }
  }

  #addBatch(
    link: OutgoingLink | undefined,
    batch: unknown,
    support: BatchSupport,
    seq: number,
    outgoing: Outgoing[],
  ): void {
    const rows = support.rows(batch);
    if (link === undefined || this.#skipsClosed(link, rows, seq, outgoing)) return;
    if (link.target.local) {
      const bytes = support.bytes(batch);
      this.#count(rows, 1, bytes, 0);
      const parcel = this.#numbered(link, { seq, rows, bytes, columnar: true, content: { objects: [batch] } });
      outgoing.push({ link, parcel, checksum: 0 });
      return;
    }
    this.#addPayload(link, support.encode(batch), seq, outgoing);
  }

  #count(objects: number, batches: number, bytes: number, exchanged: number): void {
    const metrics = this.#metrics;
    metrics.objectsOut += objects;
    metrics.batchesOut += batches;
    metrics.bytesOut += bytes;
    metrics.bytesExchanged += exchanged;
    metrics.parcelsOut++;
  }
}

/** What was sent on each link, for the lineage. */
export function producedOf(outgoing: readonly Outgoing[]): Produced[] {
  return outgoing.map(({ link, parcel, checksum }) => {
    return { edge: link.edge, to: link.to, objects: parcel.rows, checksum };
  });
}

function linkTo(edge: OutgoingEdge, to: number): OutgoingLink {
  const link = edge.links[to];
  invariant(
    link !== undefined,
    `the partition function of edge ${edge.index} chose channel ${to} of ${edge.links.length}`,
  );
  return link;
}

// A transport may transfer the buffer that it is given, so every target gets one of its own.
function copyOf(payload: Payload): Payload {
  return { ...payload, bytes: payload.bytes.slice(0) };
}
