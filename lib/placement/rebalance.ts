import type { Plan } from "../core/plan.ts";
import type { EdgeSizes, SlotPlace } from "../core/placement-strategy.ts";
import { atomsOf, stepsOf } from "./atoms.ts";
import { nearnessOf } from "./nearness.ts";
import type { LiveChannel } from "./place-again.ts";
import { placesFor } from "./place-channels.ts";
import { Traffic } from "./traffic.ts";

export interface RebalanceInput {
  readonly plan: Plan;
  readonly slots: readonly SlotPlace[];
  readonly client: string;
  /** All channels, by number. */
  readonly channels: readonly LiveChannel[];
  /** What each channel has had to do: milliseconds, or any other measure; all zero where nothing was measured. */
  readonly busy: readonly number[];
  /** Channels that are done stay where they are. */
  readonly done: (number: number) => boolean;
  readonly sizes?: EdgeSizes | undefined;
}

/** A channel that goes elsewhere. */
export interface Move {
  readonly number: number;
  readonly from: string;
  readonly to: string;
}

// A move has to lessen the load of the slot that it leaves by this share of the mean load, or else it isn't worth its replay.
const leastGain = 0.1;
// Of a channel's load, what it has for being there: one that was idle so far may not stay so.
const standingShare = 0.5;

/**
 * Which channels to move for the load to be even: from the slot with most to that with least, for as long as the larger of the two loads
 * gets smaller by a tenth of the mean. Of the channels that would do, those that exchange least with what stays are moved;
 * channels that parcels are passed straight between stay together.
 */
export function planRebalance(input: RebalanceInput): readonly Move[] {
  return new Rebalance(input).plan();
}

/** How much more the slot with most has to do than the mean; 1 where all is even. */
export function imbalanceOf(input: RebalanceInput): number {
  return new Rebalance(input).imbalance;
}

interface Movable {
  readonly channels: readonly number[];
  readonly load: number;
  /** Indexes of slots. */
  readonly allowed: ReadonlySet<number>;
}

interface Chosen {
  readonly movable: Movable;
  readonly from: number;
  readonly to: number;
  readonly worth: number;
}

class Rebalance {
  readonly #input: RebalanceInput;
  readonly #loadOf: readonly number[];
  readonly #loads: number[];
  readonly #slotOf: number[];
  readonly #mean: number;

  constructor(input: RebalanceInput) {
    this.#input = input;
    const { slots, channels, busy } = input;
    const indexOf = new Map(slots.map(({ id }, index) => [id, index]));
    this.#slotOf = channels.map(({ slot }) => indexOf.get(slot) ?? -1);
    const here = this.#slotOf.flatMap((slot, number) => (slot >= 0 && !input.done(number) ? [number] : []));
    const sum = here.reduce((total, number) => total + (busy[number] ?? 0), 0);
    const loadOf = new Array<number>(channels.length).fill(0);
    for (const number of here) {
      const measured = sum === 0 ? 1 : ((busy[number] ?? 0) / sum) * here.length;
      loadOf[number] = standingShare + (1 - standingShare) * measured;
    }
    this.#loadOf = loadOf;
    this.#loads = new Array<number>(slots.length).fill(0);
    for (const number of here) this.#add(this.#slotOf[number] ?? -1, loadOf[number] ?? 0);
    this.#mean = here.length / Math.max(1, slots.length);
  }

  get imbalance(): number {
    return this.#mean === 0 ? 1 : Math.max(...this.#loads) / this.#mean;
  }

  plan(): readonly Move[] {
    const { slots, channels, plan, sizes } = this.#input;
    if (slots.length < 2 || this.#mean === 0) return [];
    const left = this.#movables();
    const traffic = new Traffic(plan, sizes ?? plan.edges.map(() => 1), slots);
    this.#slotOf.forEach((slot, number) => {
      if (slot >= 0) traffic.put(number, slot);
    });
    const moves: Move[] = [];
    for (let best = this.#best(left, traffic); best !== undefined; best = this.#best(left, traffic)) {
      const { movable, from, to } = best;
      left.get(from)?.delete(movable);
      for (const number of movable.channels) {
        this.#add(this.#slotOf[number] ?? -1, -(this.#loadOf[number] ?? 0));
        this.#add(to, this.#loadOf[number] ?? 0);
        this.#slotOf[number] = to;
        traffic.take(number);
        traffic.put(number, to);
        moves.push({ number, from: channels[number]?.slot ?? "", to: slots[to]?.id ?? "" });
      }
    }
    return moves.toSorted((a, b) => a.number - b.number);
  }

  /** The move that is best for the slot with most to do of those that have one. */
  #best(left: ReadonlyMap<number, ReadonlySet<Movable>>, traffic: Traffic): Chosen | undefined {
    const slots = [...this.#loads.keys()].toSorted((a, b) => (this.#loads[b] ?? 0) - (this.#loads[a] ?? 0));
    for (const from of slots) {
      const most = this.#loads[from] ?? 0;
      if (most <= this.#mean) return undefined;
      let best: Chosen | undefined;
      for (const movable of left.get(from) ?? []) {
        const to = this.#emptiest(movable, from);
        if (to === undefined) continue;
        const gain = most - Math.max(most - movable.load, (this.#loads[to] ?? 0) + movable.load);
        if (gain < leastGain * this.#mean) continue;
        const worth = gain / this.#mean - this.#costOf(movable, from, to, traffic);
        if (best === undefined || worth > best.worth) best = { movable, from, to, worth };
      }
      if (best !== undefined) return best;
    }
    return undefined;
  }

  /** The slot with least to do of those that it may be on, beside the one that it is on. */
  #emptiest({ allowed }: Movable, from: number): number | undefined {
    let best: number | undefined;
    for (const slot of allowed) {
      if (slot === from || (best !== undefined && (this.#loads[slot] ?? 0) >= (this.#loads[best] ?? 0))) continue;
      best = slot;
    }
    return best;
  }

  /** What more goes between machines, as a share of all that its channels exchange; negative where it is less. */
  #costOf({ channels }: Movable, from: number, to: number, traffic: Traffic): number {
    let [bytes, all] = [0, 0];
    for (const number of channels) traffic.take(number);
    for (const number of channels) {
      all += traffic.weightOf(number);
      bytes += traffic.costOf(number, traffic.machineOf[to] ?? -1);
      bytes -= traffic.costOf(number, traffic.machineOf[from] ?? -1);
    }
    for (const number of channels) traffic.put(number, from);
    return all === 0 ? 0 : bytes / all;
  }

  /** What may be moved, by slot. */
  #movables(): Map<number, Set<Movable>> {
    const { plan, channels, done } = this.#input;
    const stepOf = stepsOf(plan);
    const movable = this.#slotOf.flatMap((slot, number) => {
      const kind = plan.steps[stepOf[number] ?? -1]?.placement.kind;
      // These are where they are for a reason that load doesn't change.
      const isBound = kind === "client" || kind === "with-data" || kind === "apart";
      return slot < 0 || isBound || done(number) ? [] : [number];
    });
    const atoms = atomsOf(plan, movable, (left, right) => channels[left]?.slot === channels[right]?.slot);
    const allowedOf = this.#allowedBy(stepOf);
    const found = new Map<number, Set<Movable>>();
    for (const own of atoms) {
      const load = own.reduce((sum, number) => sum + (this.#loadOf[number] ?? 0), 0);
      const slot = this.#slotOf[own[0] ?? -1] ?? -1;
      const same = found.get(slot) ?? new Set();
      found.set(slot, same.add({ channels: own, load, allowed: allowedOf(own) }));
    }
    return found;
  }

  #allowedBy(stepOf: readonly number[]): (atom: readonly number[]) => ReadonlySet<number> {
    const { plan, slots, client } = this.#input;
    const ofStep = plan.steps.map((step) => {
      if (step.placement.kind !== "tagged") return undefined;
      const fitting = new Set(placesFor(step, { slots, client, placed: [] }).map(({ id }) => id));
      return new Set(slots.flatMap(({ id }, index) => (fitting.has(id) ? [index] : [])));
    });
    const all = new Set(slots.keys());
    let first = 0;
    const firstOf = plan.steps.map(({ channels }) => (first += channels) - channels);
    return (atom) => {
      let allowed: ReadonlySet<number> = all;
      for (const number of atom) {
        const index = stepOf[number] ?? -1;
        const own = ofStep[index];
        if (own !== undefined) allowed = new Set([...allowed].filter((slot) => own.has(slot)));
        const near = plan.steps[index]?.near?.[number - (firstOf[index] ?? 0)];
        const here = slots[this.#slotOf[number] ?? -1];
        if (near === undefined || here === undefined) continue;
        const nearness = nearnessOf(here, near);
        allowed = new Set([...allowed].filter((slot) => nearnessOf(slots[slot] ?? here, near) >= nearness));
      }
      return allowed;
    };
  }

  #add(slot: number, load: number): void {
    if (slot >= 0) this.#loads[slot] = (this.#loads[slot] ?? 0) + load;
  }
}
