import type { Plan, PlannedStep } from "../core/plan.ts";
import type { EdgeSizes, SlotPlace } from "../core/placement-strategy.ts";
import { Assignment, type Atom } from "./assign.ts";
import { atomsOf, offsetsOf, stepsOf } from "./atoms.ts";
import { nearestSlots, placeChannels, placesFor } from "./place-channels.ts";
import { Traffic } from "./traffic.ts";

/** Where a channel is, or was. */
export interface LiveChannel {
  readonly slot: string;
}

export interface AgainInput {
  readonly plan: Plan;
  readonly slots: readonly SlotPlace[];
  readonly client: string;
  /** All channels, by number: where they are, and of those to be placed where they were. */
  readonly channels: readonly LiveChannel[];
  /** Numbers of those to be placed. */
  readonly lost: Iterable<number>;
  /** Slots that somebody has chosen for some of them. */
  readonly chosen?: ReadonlyMap<number, string> | undefined;
  /** What was measured so far. */
  readonly sizes?: EdgeSizes | undefined;
}

/**
 * Places channels anew while others stay where they are. One whose slot still lives stays there; the others go where fewest bytes
 * will go between machines, by what was measured, and without more on a slot than an even deal brings.
 *
 * @returns the slot of each, by number
 * @throws QStreamError PLACEMENT_IMPOSSIBLE which says what is missing
 */
export function placeAgain(input: AgainInput): Map<number, string> {
  return new Again(input).place();
}

class Again {
  readonly #input: AgainInput;
  readonly #lost: ReadonlySet<number>;
  readonly #found = new Map<number, string>();
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #stepOf: readonly number[];
  readonly #offsets: readonly number[];

  constructor(input: AgainInput) {
    this.#input = input;
    this.#lost = new Set(input.lost);
    this.#indexOf = new Map(input.slots.map(({ id }, index) => [id, index]));
    this.#stepOf = stepsOf(input.plan);
    this.#offsets = offsetsOf(input.plan);
  }

  place(): Map<number, string> {
    const { client, channels, chosen } = this.#input;
    const free: number[] = [];
    for (const number of this.#lost) {
      const before = chosen?.get(number) ?? channels[number]?.slot ?? "";
      if (before === client || this.#indexOf.has(before)) this.#found.set(number, before);
      else if (this.#isBound(number)) this.#found.set(number, this.#boundSlot(number));
      else free.push(number);
    }
    if (free.length > 0) this.#assign(free);
    // In the plan's order: a step that goes where another one is goes where that one is from now on.
    for (const number of [...this.#lost].toSorted((left, right) => left - right)) this.#follow(number);
    return this.#found;
  }

  #step(number: number): PlannedStep | undefined {
    return this.#input.plan.steps[this.#stepOf[number] ?? -1];
  }

  #isBound(number: number): boolean {
    const kind = this.#step(number)?.placement.kind;
    return kind === "client" || kind === "with-data";
  }

  /** @throws QStreamError PLACEMENT_IMPOSSIBLE where the data is gone */
  #boundSlot(number: number): string {
    const { slots, client } = this.#input;
    const step = this.#step(number);
    const index = number - (this.#offsets[this.#stepOf[number] ?? 0] ?? 0);
    return step === undefined ? client : (placeChannels(step, { slots, client, placed: [], turn: 0 })[index] ?? client);
  }

  #follow(number: number): void {
    const { channels, chosen } = this.#input;
    const placement = this.#step(number)?.placement;
    if (placement?.kind !== "with-step" || chosen?.has(number) === true) return;
    const index = number - (this.#offsets[this.#stepOf[number] ?? 0] ?? 0);
    const leader = (this.#offsets[placement.step] ?? 0) + index;
    const slot = this.#found.get(leader) ?? channels[leader]?.slot;
    if (slot !== undefined) this.#found.set(number, slot);
  }

  #assign(free: readonly number[]): void {
    const { plan, slots, channels, sizes } = this.#input;
    const traffic = new Traffic(plan, sizes ?? plan.edges.map(() => 1), slots);
    const isFree = new Set(free);
    channels.forEach(({ slot }, number) => {
      const at = this.#indexOf.get(this.#found.get(number) ?? slot);
      if (at !== undefined && !isFree.has(number)) traffic.put(number, at);
    });
    // What wasn't in one slot before needn't be from now on.
    const atoms = atomsOf(plan, free, (left, right) => channels[left]?.slot === channels[right]?.slot);
    const counts: number[] = [];
    const allowedOf = this.#allowedBy(counts);
    const movable = atoms.map((atom): Atom => ({ channels: atom, allowed: allowedOf(atom) }));
    const assignment = new Assignment(plan, traffic, movable, counts);
    assignment.greedy();
    assignment.improve();
    for (const number of free) this.#found.set(number, slots[traffic.slotOf[number] ?? -1]?.id ?? "");
  }

  /** Tells which slots an atom may be on; and notes how many each step may. */
  #allowedBy(counts: number[]): (atom: readonly number[]) => readonly number[] {
    const { plan, slots, client, channels } = this.#input;
    const placed = plan.steps.map((step, index) =>
      Array.from({ length: step.channels }, (_, channel) => {
        const number = (this.#offsets[index] ?? 0) + channel;
        return this.#found.get(number) ?? (this.#lost.has(number) ? "" : (channels[number]?.slot ?? ""));
      }),
    );
    const stepOf = (id: string): number => plan.steps.findIndex((step) => step.id === id);
    const all = slots.map((_, index) => index);
    const ofStep = new Map<number, readonly number[]>();
    const slotsOf = (step: number): readonly number[] => {
      const planned = plan.steps[step];
      const known = ofStep.get(step);
      if (known !== undefined || planned === undefined) return known ?? all;
      const found = placesFor(planned, { slots, client, placed, stepOf });
      const allowed = found === slots ? all : found.flatMap(({ id }) => this.#indexOf.get(id) ?? []);
      ofStep.set(step, allowed);
      counts[step] = allowed.length;
      return allowed;
    };
    return (atom) => {
      let allowed: readonly number[] = all;
      for (const number of atom) {
        const narrowed = this.#narrowed(number, slotsOf(this.#stepOf[number] ?? -1), placed);
        if (narrowed === all) continue;
        const own = new Set(narrowed);
        const both = allowed.filter((slot) => own.has(slot));
        // Where two steps that go together can't be in one place, the first one decides.
        if (both.length > 0) allowed = both;
      }
      return allowed;
    };
  }

  /** What a channel's own splits, and the other channels of its step, leave of the slots of its step. */
  #narrowed(number: number, allowed: readonly number[], placed: readonly (readonly string[])[]): readonly number[] {
    const { slots } = this.#input;
    const step = this.#step(number);
    if (step === undefined) return allowed;
    const { placement } = step;
    const index = this.#stepOf[number] ?? -1;
    if (placement.kind === "near-files") {
      const near = nearestSlots(step, number - (this.#offsets[index] ?? 0), slots);
      return near.flatMap(({ id }) => this.#indexOf.get(id) ?? []);
    }
    if (placement.kind !== "apart" || placement.from.length > 0) return allowed;
    const place = (slot: SlotPlace | undefined): string => (placement.by === "slot" ? slot?.id : slot?.machine) ?? "";
    const taken = new Set((placed[index] ?? []).map((id) => place(slots[this.#indexOf.get(id) ?? -1])));
    return allowed.filter((slot) => !taken.has(place(slots[slot])));
  }
}
