import type { Plan } from "../core/plan.ts";
import type { EdgeSizes, SlotPlace } from "../core/placement-strategy.ts";
import { pairsOf, passesOn } from "./peers.ts";

/** An edge between steps, as traffic: each pair of channels that it joins exchanges the same number of bytes. */
interface Flow {
  readonly from: Side;
  readonly to: Side;
  readonly bytesPerPair: number;
  /** Peers of each channel where it has few; undefined where every producer sends to every consumer. */
  readonly peers: Peers | undefined;
}

interface Peers {
  readonly ofProducer: readonly (readonly number[])[];
  readonly ofConsumer: readonly (readonly number[])[];
}

/** One end of an edge: the numbers of a step's channels, and how many of them each machine has. */
interface Side {
  readonly first: number;
  readonly channels: number;
  readonly onMachine: Int32Array;
  placed: number;
}

/**
 * The bytes that channels exchange across machines, for a placement that is being changed: channels are put on slots and taken
 * off them, and what another place would cost is told in time proportional to the channel's edges. Edges between all channels of
 * two steps are counted by machine, so that thousands of channels are no quadratic matter.
 */
export class Traffic {
  /** Slot of each channel, by its number; -1 for one that isn't placed. */
  readonly slotOf: Int32Array;
  /** Machine of each slot. */
  readonly machineOf: readonly number[];
  readonly machines: number;
  readonly #flows: readonly Flow[];
  readonly #flowsOf: (readonly Flow[])[];

  constructor(plan: Plan, sizes: EdgeSizes, slots: readonly SlotPlace[]) {
    const names = [...new Set(slots.map(({ machine }) => machine))];
    const indexOf = new Map(names.map((name, index) => [name, index]));
    this.machineOf = slots.map(({ machine }) => indexOf.get(machine) ?? -1);
    this.machines = names.length;
    const offsets: number[] = [];
    let channels = 0;
    for (const step of plan.steps) {
      offsets.push(channels);
      channels += step.channels;
    }
    this.slotOf = new Int32Array(channels).fill(-1);
    const side = (step: number): Side => ({
      first: offsets[step] ?? 0,
      channels: plan.steps[step]?.channels ?? 0,
      onMachine: new Int32Array(names.length),
      placed: 0,
    });
    const found = plan.edges.map(({ from, to }, edge): Flow => {
      const ends = { from: side(from), to: side(to) };
      const pairs = passesOn(plan, edge) ? pairsOf(plan, edge) : undefined;
      const peers = pairs === undefined ? undefined : peersOf(pairs, ends.from.channels, ends.to.channels);
      const count = pairs?.length ?? ends.from.channels * ends.to.channels;
      return { ...ends, bytesPerPair: (sizes[edge] ?? 0) / Math.max(1, count), peers };
    });
    this.#flows = found.filter(({ bytesPerPair }) => bytesPerPair > 0);
    this.#flowsOf = plan.steps.flatMap((step, index) => {
      const own = found.filter(
        ({ bytesPerPair }, edge) =>
          bytesPerPair > 0 && (plan.edges[edge]?.from === index || plan.edges[edge]?.to === index),
      );
      return new Array<readonly Flow[]>(step.channels).fill(own);
    });
  }

  put(channel: number, slot: number): void {
    this.slotOf[channel] = slot;
    this.#count(channel, slot, 1);
  }

  take(channel: number): void {
    this.#count(channel, this.slotOf[channel] ?? -1, -1);
    this.slotOf[channel] = -1;
  }

  /** Bytes that a channel which isn't placed would exchange with others, those that are placed, if it were on a machine. */
  costOf(channel: number, machine: number): number {
    let bytes = 0;
    for (const flow of this.#flowsOf[channel] ?? []) {
      if (isIn(flow.from, channel)) bytes += this.#costTo(flow, flow.to, channel - flow.from.first, machine, true);
      if (isIn(flow.to, channel)) bytes += this.#costTo(flow, flow.from, channel - flow.to.first, machine, false);
    }
    return bytes;
  }

  /** Bytes that a channel exchanges with all others, wherever they are. */
  weightOf(channel: number): number {
    let bytes = 0;
    for (const { from, to, bytesPerPair, peers } of this.#flowsOf[channel] ?? []) {
      const ofProducer = peers?.ofProducer[channel - from.first]?.length ?? to.channels;
      const ofConsumer = peers?.ofConsumer[channel - to.first]?.length ?? from.channels;
      bytes += bytesPerPair * (isIn(from, channel) ? ofProducer : ofConsumer);
    }
    return bytes;
  }

  /** Bytes between machines, of all channels that are placed. */
  total(): number {
    let bytes = 0;
    for (const flow of this.#flows) {
      for (let index = 0; index < flow.from.channels; index++) {
        const machine = this.machineOf[this.slotOf[flow.from.first + index] ?? -1];
        if (machine !== undefined) bytes += this.#costTo(flow, flow.to, index, machine, true);
      }
    }
    return bytes;
  }

  #costTo({ bytesPerPair, peers }: Flow, other: Side, index: number, machine: number, isProducer: boolean): number {
    if (peers === undefined) return bytesPerPair * (other.placed - (other.onMachine[machine] ?? 0));
    let away = 0;
    for (const peer of (isProducer ? peers.ofProducer : peers.ofConsumer)[index] ?? []) {
      const at = this.machineOf[this.slotOf[other.first + peer] ?? -1];
      if (at !== undefined && at !== machine) away++;
    }
    return bytesPerPair * away;
  }

  #count(channel: number, slot: number, by: 1 | -1): void {
    const machine = this.machineOf[slot];
    if (machine === undefined) return;
    for (const { from, to } of this.#flowsOf[channel] ?? []) {
      for (const side of [from, to]) {
        if (!isIn(side, channel)) continue;
        side.onMachine[machine] = (side.onMachine[machine] ?? 0) + by;
        side.placed += by;
      }
    }
  }
}

function isIn({ first, channels }: Side, channel: number): boolean {
  return channel >= first && channel < first + channels;
}

function peersOf(pairs: readonly (readonly [number, number])[], producers: number, consumers: number): Peers {
  const ofProducer = Array.from({ length: producers }, (): number[] => []);
  const ofConsumer = Array.from({ length: consumers }, (): number[] => []);
  for (const [from, to] of pairs) {
    ofProducer[from]?.push(to);
    ofConsumer[to]?.push(from);
  }
  return { ofProducer, ofConsumer };
}
