import type { OrderOutcome } from "./order.ts";
import type { PlannedOrder, PlannedStep, Unit } from "./units.ts";

/** Two orders of the same units. Where one fails alone, both are it. */
export interface Pair {
  readonly first: PlannedOrder;
  readonly second: PlannedOrder;
}

/** Two orders, and what became of them. */
export interface Tried extends Pair {
  readonly outcomes: readonly [OrderOutcome, OrderOutcome];
}

/** Which other orders have to give the same. */
export interface Freedom {
  /** Any may: other tasks, other times. Otherwise only the same tasks in each channel, with restarts at any place. */
  readonly anyOrder: boolean;
  /** Any number of channels may. */
  readonly anyChannels: boolean;
}

/** Runs a pair: its outcomes, if they still differ in the way that is looked for. */
export type TryPair = (pair: Pair) => Promise<Tried | undefined>;

// What shrinks takes few hundreds; one that doesn't ends here.
const triesMax = 3000;

/** Makes a pair as small as it gets: units first, then all in which its two orders differ. */
export async function shrink(found: Tried, freedom: Freedom, attempt: TryPair): Promise<Tried> {
  return new Shrinking(found, freedom, attempt).run();
}

class Shrinking {
  #best: Tried;
  readonly #freedom: Freedom;
  readonly #attempt: TryPair;
  #tries = 0;

  constructor(found: Tried, freedom: Freedom, attempt: TryPair) {
    this.#best = found;
    this.#freedom = freedom;
    this.#attempt = attempt;
  }

  async run(): Promise<Tried> {
    for (;;) {
      const before = this.#best;
      /* oxlint-disable no-await-in-loop -- each goes on from what the one before has found */
      await this.#fewerUnits();
      await this.#plainer();
      await this.#fewerSteps();
      await this.#fewerDifferences();
      /* oxlint-enable no-await-in-loop */
      if (this.#best === before || this.#tries >= triesMax) return this.#best;
    }
  }

  /** True if the pair still differs: it is the best one then. */
  async #keep(pair: Pair): Promise<boolean> {
    if (this.#tries >= triesMax || isSame(pair, this.#best)) return false;
    this.#tries++;
    const tried = await this.#attempt(pair);
    if (tried === undefined) return false;
    this.#best = tried;
    return true;
  }

  /** Delta debugging: leaves out halves, quarters, and so on. */
  async #fewerUnits(): Promise<void> {
    let parts = 2;
    for (;;) {
      const units = [...new Set(unitsIn(this.#best.first))];
      if (units.length < 2) return;
      const size = Math.ceil(units.length / Math.min(parts, units.length));
      let smaller = false;
      for (let from = 0; from < units.length && !smaller; from += size) {
        const out = new Set(units.slice(from, from + size));
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        smaller = await this.#keep(mapPair(this.#best, (order) => without(order, out)));
      }
      if (smaller) parts = Math.max(2, parts - 1);
      else if (size === 1) return;
      else parts *= 2;
    }
  }

  /** No time passes, the world outside is the same, one unit a task, one channel. */
  async #plainer(): Promise<void> {
    const { first, second } = this.#best;
    await this.#keep({ first, second: { ...second, outsideSeed: first.outsideSeed } });
    await this.#keepBoth((order) => ({ ...order, startMs: 0, steps: order.steps.map(withoutTime) }));
    await this.#keepBoth((order) => ({ ...order, steps: order.steps.filter(({ kind }) => kind !== "end") }));
    await this.#keepBoth((order) => ({ ...order, startMs: 0 }));
    await this.#keepBoth((order) => ({ ...order, steps: order.steps.map(withoutTime) }));
    const { anyOrder, anyChannels } = this.#freedom;
    if (anyOrder && anyChannels) {
      await this.#keepBoth(inOneChannel);
      await this.#keepBoth(usedChannels);
    }
    const isCut = await this.#keepBoth(oneByOne);
    if (!isCut && anyOrder) await this.#keep({ ...this.#best, first: oneByOne(this.#best.first) });
  }

  #keepBoth(map: (order: PlannedOrder) => PlannedOrder): Promise<boolean> {
    return this.#keep(mapPair(this.#best, map));
  }

  /** Without restarts and ends that aren't needed; time stands still before each task that doesn't need it. */
  async #fewerSteps(): Promise<void> {
    for (const side of ["second", "first"] as const) {
      for (let at = this.#best[side].steps.length - 1; at >= 0; at--) {
        const order = this.#best[side];
        const step = order.steps[at];
        if (step === undefined || (!this.#freedom.anyOrder && (step.kind === "take" || step.kind === "end"))) continue;
        const instead = step.kind === "take" ? [withoutTime(step)] : [];
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await this.#keep({ ...this.#best, [side]: { ...order, steps: order.steps.toSpliced(at, 1, ...instead) } });
      }
    }
  }

  /** Puts tasks of the second order where the first one has them, one neighbour after the other. */
  async #fewerDifferences(): Promise<void> {
    const { first, second } = this.#best;
    // The whole other order first: what differs then isn't the order.
    if (second.channels === first.channels && (await this.#keep({ first, second: { ...second, steps: first.steps } })))
      return;
    for (let moved = true; moved;) {
      moved = false;
      const place = new Map(unitsIn(this.#best.first).map((unit, index) => [unit, index]));
      for (let at = 0; at + 1 < this.#best.second.steps.length; at++) {
        const order = this.#best.second;
        const [one, other] = [order.steps[at], order.steps[at + 1]];
        if (one?.kind !== "take" || other?.kind !== "take") continue;
        if (firstPlace(place, one.units) <= firstPlace(place, other.units)) continue;
        const steps = order.steps.toSpliced(at, 2, other, one);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        moved = (await this.#keep({ ...this.#best, second: { ...order, steps } })) || moved;
      }
    }
  }
}

function mapPair({ first, second }: Pair, map: (order: PlannedOrder) => PlannedOrder): Pair {
  const mapped = map(first);
  return { first: mapped, second: first === second ? mapped : map(second) };
}

function isSame(one: Pair, other: Pair): boolean {
  return isSameOrder(one.first, other.first) && isSameOrder(one.second, other.second);
}

function isSameOrder(one: PlannedOrder, other: PlannedOrder): boolean {
  if (one === other) return true;
  const isAlike =
    one.channels === other.channels && one.startMs === other.startMs && one.outsideSeed === other.outsideSeed;
  if (!isAlike || one.steps.length !== other.steps.length) return false;
  return one.steps.every((step, index) => isSameStep(step, other.steps[index] as PlannedStep));
}

function isSameStep(one: PlannedStep, other: PlannedStep): boolean {
  if (one === other) return true;
  if (one.kind !== "take" || other.kind !== "take") return false;
  const isAlike = one.input === other.input && one.channel === other.channel && one.afterMs === other.afterMs;
  if (!isAlike || one.units.length !== other.units.length) return false;
  return one.units.every((unit, index) => unit === other.units[index]);
}

/** The units of an order, as they come. */
export function unitsIn({ steps }: PlannedOrder): readonly Unit[] {
  return steps.flatMap((step) => (step.kind === "take" ? step.units : []));
}

function without(order: PlannedOrder, out: ReadonlySet<Unit>): PlannedOrder {
  const steps = order.steps.flatMap((step): readonly PlannedStep[] => {
    if (step.kind !== "take") return [step];
    const units = step.units.filter((unit) => !out.has(unit));
    return units.length === 0 ? [] : [{ ...step, units }];
  });
  return { ...order, steps };
}

function withoutTime(step: PlannedStep): PlannedStep {
  return step.kind === "take" && step.afterMs > 0 ? { ...step, afterMs: 0 } : step;
}

function oneByOne(order: PlannedOrder): PlannedOrder {
  const steps = order.steps.flatMap((step): readonly PlannedStep[] =>
    step.kind === "take" && step.units.length > 1 ? step.units.map((unit) => ({ ...step, units: [unit] })) : [step],
  );
  return { ...order, steps };
}

function inOneChannel(order: PlannedOrder): PlannedOrder {
  if (order.channels === 1) return order;
  return { ...order, channels: 1, steps: order.steps.map((step) => ({ ...step, channel: 0 })) };
}

/** Without channels that get nothing. */
function usedChannels(order: PlannedOrder): PlannedOrder {
  const used = [...new Set(order.steps.map(({ channel = 0 }) => channel))].toSorted((one, other) => one - other);
  if (used.length === 0 || used.length === order.channels) return order;
  const steps = order.steps.map((step) => ({ ...step, channel: used.indexOf(step.channel ?? 0) }));
  return { ...order, channels: used.length, steps };
}

function firstPlace(place: ReadonlyMap<Unit, number>, units: readonly Unit[]): number {
  return Math.min(...units.map((unit) => place.get(unit) ?? 0));
}
