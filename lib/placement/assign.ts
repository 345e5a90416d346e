import type { Plan } from "../core/plan.ts";
import { stepsOf } from "./atoms.ts";
import type { Traffic } from "./traffic.ts";

/** Channels that are placed as one, and the slots that they may be on. */
export interface Atom {
  readonly channels: readonly number[];
  /** Indexes of slots. */
  readonly allowed: readonly number[];
}

// Rounds of improvement; each of them goes through all atoms.
const roundsMax = 8;
// Comparisons of pairs that a round may cost: beyond, atoms are moved, and not exchanged.
const pairsMax = 200_000;

/**
 * Puts atoms on slots so that few bytes go between machines, without more channels on a slot than an even deal would bring: first
 * one atom after the other, those with most traffic first, each where it costs least beside what is placed; then atoms are
 * moved, and two of one kind exchanged, while that saves bytes.
 *
 * To place the parts of a program on machines so that least is exchanged is NP-hard. The greedy start on measured traffic is that of
 * Aniello, Baldoni and Querzoni (Adaptive online scheduling in Storm, DEBS 2013), the exchange of pairs that of Kernighan and Lin
 * (An efficient heuristic procedure for partitioning graphs, 1970), with moves as in Fiduccia and Mattheyses (DAC 1982).
 */
export class Assignment {
  readonly #traffic: Traffic;
  readonly #atoms: readonly Atom[];
  readonly #stepOf: readonly number[];
  /** Channels of each slot, and how many it may have. */
  readonly #loads: number[];
  readonly #loadMax: number;
  /** How many more channels each machine may have. */
  readonly #roomOn: number[];
  /** Channels of a step on a slot, by `step * slots + slot`, and how many there may be of each step. */
  readonly #ofStep: Int32Array;
  readonly #ofStepMax: number[];

  /** @param allowed - how many slots each step may be on, for its even deal */
  constructor(plan: Plan, traffic: Traffic, atoms: readonly Atom[], allowed: readonly number[]) {
    this.#traffic = traffic;
    this.#atoms = atoms;
    this.#stepOf = stepsOf(plan);
    const slots = traffic.machineOf.length;
    this.#loads = new Array<number>(slots).fill(0);
    this.#ofStep = new Int32Array(plan.steps.length * slots);
    this.#loadMax = Math.ceil(this.#stepOf.length / Math.max(1, slots));
    this.#roomOn = new Array<number>(traffic.machines).fill(0);
    for (const machine of traffic.machineOf) this.#roomOn[machine] = (this.#roomOn[machine] ?? 0) + this.#loadMax;
    this.#ofStepMax = plan.steps.map(({ channels }, step) => Math.ceil(channels / Math.max(1, allowed[step] ?? slots)));
    traffic.slotOf.forEach((slot, channel) => {
      if (slot >= 0) this.#note(channel, slot, 1);
    });
  }

  /** Places what isn't placed yet. */
  greedy(): void {
    const traffic = this.#traffic;
    const weights = this.#atoms.map(({ channels }) =>
      channels.reduce((sum, channel) => sum + traffic.weightOf(channel), 0),
    );
    const order = [...this.#atoms.keys()].toSorted((left, right) => (weights[right] ?? 0) - (weights[left] ?? 0));
    for (const index of order) {
      const atom = this.#atoms[index];
      if (atom !== undefined && traffic.slotOf[atom.channels[0] ?? -1] === -1) this.#put(atom, this.#bestSlot(atom));
    }
  }

  /** Moves and exchanges atoms while that saves bytes between machines. */
  improve(): void {
    for (let round = 0; round < roundsMax; round++) {
      const moved = this.#moveAll();
      const exchanged = this.#exchangeAll();
      if (!moved && !exchanged) return;
    }
  }

  #moveAll(): boolean {
    let moved = false;
    for (const atom of this.#atoms) {
      const from = this.#slotOf(atom);
      this.#take(atom);
      const cost = this.#costAt(atom, from);
      const best = this.#bestSlot(atom);
      const saves = best !== from && this.#hasRoom(atom, best) && isLess(this.#costAt(atom, best), cost);
      this.#put(atom, saves ? best : from);
      moved ||= saves;
    }
    return moved;
  }

  #exchangeAll(): boolean {
    const bySize = new Map<number, Atom[]>();
    for (const atom of this.#atoms) {
      const same = bySize.get(atom.channels.length);
      if (same === undefined) bySize.set(atom.channels.length, [atom]);
      else same.push(atom);
    }
    let exchanged = false;
    for (const same of bySize.values()) {
      if (same.length * same.length > pairsMax) continue;
      same.forEach((left, index) => {
        for (const right of same.slice(index + 1)) exchanged = this.#exchange(left, right) || exchanged;
      });
    }
    return exchanged;
  }

  #exchange(left: Atom, right: Atom): boolean {
    const { machineOf } = this.#traffic;
    const [leftSlot, rightSlot] = [this.#slotOf(left), this.#slotOf(right)];
    if (machineOf[leftSlot] === machineOf[rightSlot]) return false;
    if (!left.allowed.includes(rightSlot) || !right.allowed.includes(leftSlot)) return false;
    this.#take(left);
    this.#take(right);
    const now = this.#costOfBoth(left, leftSlot, right, rightSlot);
    const isKind = this.#kindOf(left) === this.#kindOf(right);
    const hasRoom = isKind || (this.#hasRoom(left, rightSlot) && this.#hasRoom(right, leftSlot));
    const saves = hasRoom && isLess(this.#costOfBoth(left, rightSlot, right, leftSlot), now);
    this.#put(left, saves ? rightSlot : leftSlot);
    this.#put(right, saves ? leftSlot : rightSlot);
    return saves;
  }

  /** Of two that aren't placed. What they exchange with each other is in the cost of whichever is put second. */
  #costOfBoth(left: Atom, leftAt: number, right: Atom, rightAt: number): number {
    const cost = this.#costAt(left, leftAt);
    this.#put(left, leftAt);
    const both = cost + this.#costAt(right, rightAt);
    this.#take(left);
    return both;
  }

  #kindOf({ channels }: Atom): string {
    return channels.map((channel) => this.#stepOf[channel]).join();
  }

  /** Where there is room, the slot where an atom costs least; else the slot with least on it. */
  #bestSlot(atom: Atom): number {
    const costs = new Map<number, number>();
    let best = -1;
    let bestRank: readonly number[] = [];
    for (const slot of atom.allowed) {
      const machine = this.#traffic.machineOf[slot] ?? -1;
      const cost = costs.get(machine) ?? this.#costAt(atom, slot);
      costs.set(machine, cost);
      const load = this.#loads[slot] ?? 0;
      // Of machines where it costs the same, that with most room: more of what it talks to fits beside it.
      const rank = this.#hasRoom(atom, slot)
        ? [0, cost, -(this.#roomOn[machine] ?? 0), load]
        : [1, this.#mostOfStep(atom, slot), load, cost];
      if (best < 0 || comesBefore(rank, bestRank)) [best, bestRank] = [slot, rank];
    }
    return best;
  }

  #hasRoom({ channels }: Atom, slot: number): boolean {
    if ((this.#loads[slot] ?? 0) + channels.length > Math.max(this.#loadMax, channels.length)) return false;
    return channels.every((channel) => {
      const step = this.#stepOf[channel] ?? -1;
      return this.#countOf(step, slot) < (this.#ofStepMax[step] ?? 0);
    });
  }

  #mostOfStep({ channels }: Atom, slot: number): number {
    return Math.max(...channels.map((channel) => this.#countOf(this.#stepOf[channel] ?? -1, slot)));
  }

  #countOf(step: number, slot: number): number {
    return this.#ofStep[step * this.#loads.length + slot] ?? 0;
  }

  #costAt({ channels }: Atom, slot: number): number {
    const machine = this.#traffic.machineOf[slot] ?? -1;
    return channels.reduce((sum, channel) => sum + this.#traffic.costOf(channel, machine), 0);
  }

  #slotOf({ channels }: Atom): number {
    return this.#traffic.slotOf[channels[0] ?? -1] ?? -1;
  }

  #put({ channels }: Atom, slot: number): void {
    for (const channel of channels) {
      this.#traffic.put(channel, slot);
      this.#note(channel, slot, 1);
    }
  }

  #take({ channels }: Atom): void {
    for (const channel of channels) {
      this.#note(channel, this.#traffic.slotOf[channel] ?? -1, -1);
      this.#traffic.take(channel);
    }
  }

  #note(channel: number, slot: number, by: 1 | -1): void {
    if (slot < 0) return;
    const machine = this.#traffic.machineOf[slot] ?? 0;
    this.#loads[slot] = (this.#loads[slot] ?? 0) + by;
    this.#roomOn[machine] = (this.#roomOn[machine] ?? 0) - by;
    const at = (this.#stepOf[channel] ?? 0) * this.#loads.length + slot;
    this.#ofStep[at] = (this.#ofStep[at] ?? 0) + by;
  }
}

/** Less by more than what rounding makes of equal sums. */
function isLess(left: number, right: number): boolean {
  return left < right - 1e-6 * Math.max(1, Math.abs(right));
}

function comesBefore(left: readonly number[], right: readonly number[]): boolean {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}
