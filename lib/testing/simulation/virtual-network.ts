import { Inbox } from "../../../actors/transport/inbox.ts";
import type { LinkMessage, Transport } from "../../core/contracts/transport.ts";
import type { Clock } from "../../core/seam/clock.ts";
import type { Random } from "../../core/seam/random.ts";
import type { Trace } from "./trace.ts";
import { copyMessage, describeMessage, VirtualTransport } from "./virtual-transport.ts";

export interface VirtualNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace?: Trace | undefined;
  /** Milliseconds that a message is on its way, drawn for each. */
  readonly latency?: Latency | undefined;
  /** Sees what slots send each other, as it leaves. */
  readonly onMessage?: (message: LinkMessage) => void;
}

export interface Latency {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** What became of messages. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  /** To or from an end that was dead, or that nobody had opened. */
  discarded: number;
  /** Lost with their link. */
  dropped: number;
  /** Delivered once more. */
  duplicated: number;
}

/** One life of a slot (or of the client) on the network. A later one of the same name doesn't get what was meant for it. */
export interface Endpoint {
  readonly name: string;
  /** True until it is killed. */
  readonly alive: boolean;
  /** Called when a link to another end was dropped: messages in flight are lost, both ways. */
  onDropped: (other: string) => void;
}

/** A message of any kind: data of a link, an order, a report. */
export interface Sending<T> {
  /** Messages of one kind between two ends arrive in order; those of different kinds don't wait for each other. */
  readonly kind: "data" | "control";
  readonly value: T;
  /** Makes the copy that the other end gets: nothing is shared. */
  readonly copy: (value: T) => T;
  readonly deliver: (value: T) => void;
  /** For the trace. */
  readonly what: string;
  /** True if it may arrive twice, where links do such things. */
  readonly repeatable: boolean;
}

interface Message extends Sending<unknown> {
  readonly dueMs: number;
}

interface Lane {
  readonly from: End;
  readonly to: End;
  readonly who: string;
  queue: Message[];
  /** The first message is on its way, and will look whether it may arrive. */
  moving: boolean;
  lastDueMs: number;
}

interface End extends Endpoint {
  alive: boolean;
  /** Nothing arrives while its slot is paused. */
  held: boolean;
  readonly inbox: Inbox;
  readonly lanes: Map<End, Record<Sending<unknown>["kind"], Lane>>;
}

const latencyDefault: Latency = { leastMs: 0.02, mostMs: 0.5 };
// Sums of milliseconds with fractions differ in their last digits.
const toleranceMs = 1e-6;

/**
 * The network of a simulated world. A message takes a while, drawn anew for each; messages between two ends stay in order,
 * and nothing else does. Pairs can be parted for a while, links dropped, parcels doubled, ends held or killed.
 */
export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #trace: Trace | undefined;
  readonly #latency: Latency;
  readonly #onMessage: ((message: LinkMessage) => void) | undefined;
  readonly #ends = new Map<string, End>();
  readonly #lanes = new Set<Lane>();
  readonly #parted = new Set<string>();
  #slowness = 1;
  #duplicates = 0;
  readonly counts: NetworkCounts = { sent: 0, delivered: 0, discarded: 0, dropped: 0, duplicated: 0 };

  constructor(options: VirtualNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#trace = options.trace;
    this.#latency = options.latency ?? latencyDefault;
    this.#onMessage = options.onMessage;
  }

  /** Makes an end. An earlier one of the same name gets nothing that is sent from now on. */
  open(name: string): Endpoint {
    const end: End = { name, alive: true, held: false, inbox: new Inbox(), lanes: new Map(), onDropped: () => {} };
    this.#ends.set(name, end);
    return end;
  }

  /** The transport between slots as one of them sees it. */
  transport(end: Endpoint): Transport {
    return new VirtualTransport(end.name, (end as End).inbox, (to, message) => {
      const target = this.#ends.get(to);
      if (end.alive) this.#onMessage?.(message);
      this.send<LinkMessage>(end, target, {
        kind: "data",
        value: message,
        copy: copyMessage,
        deliver: (arrived) => target?.inbox.deliver(arrived, end.name),
        what: describeMessage(message),
        repeatable: message.kind === "parcel",
      });
    });
  }

  /** Sends a message from one end to another. What a dead one sends or should get is discarded. */
  send<T>(from: Endpoint, to: Endpoint | undefined, sending: Sending<T>): void {
    this.counts.sent++;
    if (!from.alive || to?.alive !== true) {
      this.counts.discarded++;
      this.#note(`${from.name}>${to?.name ?? "nobody"}`, `discarded: ${sending.what}`);
      return;
    }
    const lane = this.#laneOf(from as End, to as End, sending.kind);
    this.#enqueue(lane, { ...sending, value: sending.copy(sending.value) } as Sending<unknown>);
  }

  /** Parts two ends: what they send each other is held until they are healed. One way only, if told so. */
  partition(from: string, to: string, oneWay = false): void {
    this.#parted.add(pairKey(from, to));
    if (!oneWay) this.#parted.add(pairKey(to, from));
    this.#note("network", oneWay ? `${from} doesn't reach ${to}` : `${from} and ${to} are parted`);
  }

  heal(one: string, other: string): void {
    this.#parted.delete(pairKey(one, other));
    this.#parted.delete(pairKey(other, one));
    this.#note("network", `${one} and ${other} are healed`);
    this.#moveAll();
  }

  /** True if messages of the first get to the second. */
  reaches(from: string, to: string): boolean {
    return !this.#parted.has(pairKey(from, to));
  }

  /** Everything that was done to links is over. */
  healAll(): void {
    this.#parted.clear();
    this.#slowness = 1;
    this.#duplicates = 0;
    this.#moveAll();
  }

  /** Messages that are sent from now on take so many times as long. */
  slow(factor: number): void {
    this.#slowness = factor;
  }

  /** Parcels arrive once more with this probability, behind what was sent after them: as when a link sends again. */
  duplicate(probability: number): void {
    this.#duplicates = probability;
  }

  /** Drops the link of two ends: what is in flight is lost, and both are told. */
  drop(one: string, other: string): void {
    const [first, second] = [this.#ends.get(one), this.#ends.get(other)];
    if (first === undefined || second === undefined) return;
    let lost = 0;
    for (const { data, control } of [first.lanes.get(second), second.lanes.get(first)].flatMap(
      (lanes) => lanes ?? [],
    )) {
      lost += data.queue.length + control.queue.length;
      data.queue = [];
      control.queue = [];
    }
    this.counts.dropped += lost;
    this.#note("network", `the link of ${one} and ${other} is dropped, with ${lost} messages`);
    first.onDropped(other);
    second.onDropped(one);
  }

  /** Nothing arrives at an end until it is released. */
  hold(end: Endpoint): void {
    (end as End).held = true;
  }

  release(end: Endpoint): void {
    (end as End).held = false;
    this.#moveAll();
  }

  /** An end is gone. Of what it sent last, a part that chance decides is lost with it. */
  kill(end: Endpoint): void {
    const dead = end as End;
    if (!dead.alive) return;
    dead.alive = false;
    dead.inbox.close();
    if (this.#ends.get(end.name) === end) this.#ends.delete(end.name);
    for (const lane of this.#lanes) {
      if (lane.to === dead) {
        this.#discard(lane, 0);
        this.#lanes.delete(lane);
        lane.from.lanes.delete(dead);
      } else if (lane.from === dead) this.#discard(lane, Math.floor(this.#random() * (lane.queue.length + 1)));
    }
  }

  /** Messages that are on their way. */
  get inFlight(): number {
    let count = 0;
    for (const lane of this.#lanes) count += lane.queue.length;
    return count;
  }

  #laneOf(from: End, to: End, kind: Sending<unknown>["kind"]): Lane {
    let lanes = from.lanes.get(to);
    if (lanes === undefined) {
      const lane = (): Lane => {
        return { from, to, who: `${from.name}>${to.name}`, queue: [], moving: false, lastDueMs: 0 };
      };
      from.lanes.set(to, (lanes = { data: lane(), control: lane() }));
      this.#lanes.add(lanes.data).add(lanes.control);
    }
    return lanes[kind];
  }

  #enqueue(lane: Lane, sending: Sending<unknown>): void {
    const { leastMs, mostMs } = this.#latency;
    // Most are quick, a few take long.
    const latencyMs = (leastMs + (mostMs - leastMs) * this.#random() ** 3) * this.#slowness;
    lane.lastDueMs = Math.max(lane.lastDueMs, this.#clock.monotonic() + latencyMs);
    lane.queue.push({ ...sending, dueMs: lane.lastDueMs });
    this.#move(lane);
  }

  #move(lane: Lane): void {
    const first = lane.queue[0];
    if (lane.moving || first === undefined || !this.#passes(lane)) return;
    lane.moving = true;
    this.#clock.after(first.dueMs - this.#clock.monotonic(), () => this.#arrive(lane));
  }

  #moveAll(): void {
    for (const lane of this.#lanes) this.#move(lane);
  }

  #passes({ from, to }: Lane): boolean {
    return !to.held && this.reaches(from.name, to.name);
  }

  #arrive(lane: Lane): void {
    lane.moving = false;
    // The ends may have been parted, or the link dropped, while the message was on its way.
    const message = this.#passes(lane) ? lane.queue[0] : undefined;
    if (message === undefined) return;
    if (message.dueMs > this.#clock.monotonic() + toleranceMs) {
      this.#move(lane);
      return;
    }
    lane.queue.shift();
    this.counts.delivered++;
    this.#note(lane.who, message.what);
    if (message.repeatable && this.#duplicates > 0 && this.#random() < this.#duplicates) {
      this.counts.duplicated++;
      this.#enqueue(lane, { ...message, value: message.copy(message.value), what: `${message.what} (again)` });
    }
    this.#move(lane);
    message.deliver(message.value);
  }

  #discard(lane: Lane, from: number): void {
    this.counts.discarded += lane.queue.length - from;
    lane.queue.length = from;
  }

  #note(who: string, what: string): void {
    this.#trace?.add(this.#clock.monotonic(), who, what);
  }
}

function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}
