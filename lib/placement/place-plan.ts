import type { Plan } from "../core/plan.ts";
import type { EdgeSizes, SlotPlace } from "../core/placement-strategy.ts";
import { Assignment, type Atom } from "./assign.ts";
import { atomsOf, offsetsOf, stepsOf } from "./atoms.ts";
import { machinesOf, placeChannels } from "./place-channels.ts";
import { Traffic } from "./traffic.ts";

export interface PlanPlaces {
  readonly slots: readonly SlotPlace[];
  readonly client: string;
  /** The next turn of a step of one channel. */
  readonly turn: () => number;
  /** Bytes that went over the edges in an earlier execution. */
  readonly sizes?: EdgeSizes | undefined;
}

/**
 * Places all channels of a plan: the id of a slot for each channel, by step. Steps whose strategy leaves it open go where, by the sizes
 * of the edges, fewest bytes go between machines; without sizes they are dealt to the slots in order.
 *
 * @throws QStreamError PLACEMENT_IMPOSSIBLE which says what is missing, and for how long one may wait for it
 */
export function placePlan(plan: Plan, places: PlanPlaces): string[][] {
  const { slots, client, turn, sizes } = places;
  const placed: string[][] = plan.steps.map(() => []);
  const done = new Set<number>();
  const stepOf = (id: string): number => plan.steps.findIndex((step) => step.id === id);
  const put = (index: number): void => {
    const step = plan.steps[index];
    if (step === undefined || done.has(index)) return;
    done.add(index);
    const { placement } = step;
    // Steps that keep away from others, or go with one, come behind those. Two that keep away from each other: in their order.
    if (placement.kind === "apart") for (const other of placement.from) put(stepOf(other));
    if (placement.kind === "with-step") put(placement.step);
    const turned = step.channels === 1 ? turn() : 0;
    placed[index] = placeChannels(step, { slots, client, placed, turn: turned, stepOf });
  };
  const isApart = plan.steps.map(({ placement }) => placement.kind === "apart");
  plan.steps.forEach((_, index) => {
    if (isApart[index] !== true && !followsApart(plan, index)) put(index);
  });
  if (sizes !== undefined && machinesOf(slots).length > 1) saveTraffic(plan, slots, sizes, placed);
  plan.steps.forEach((_, index) => put(index));
  return placed;
}

function followsApart(plan: Plan, index: number): boolean {
  const placement = plan.steps[index]?.placement;
  if (placement?.kind === "apart") return true;
  return placement?.kind === "with-step" && followsApart(plan, placement.step);
}

/** Places the steps again that may be anywhere, if that saves bytes between machines. */
function saveTraffic(plan: Plan, slots: readonly SlotPlace[], sizes: EdgeSizes, placed: string[][]): void {
  const stepOf = stepsOf(plan);
  const offsets = offsetsOf(plan);
  const indexOf = new Map(slots.map(({ id }, index) => [id, index]));
  const isFree = plan.steps.map((_, step) => (placed[step] ?? []).length > 0 && isAnywhere(plan, step));
  const free = stepOf.flatMap((step, number) => (isFree[step] === true ? [number] : []));
  if (free.length === 0) return;
  const dealt = stepOf.map((step, number) => indexOf.get(placed[step]?.[number - (offsets[step] ?? 0)] ?? "") ?? -1);
  const all = slots.map((_, index) => index);
  const atoms = atomsOf(plan, free).map((channels): Atom => ({ channels, allowed: all }));
  const isMoved = new Set(free);
  const tryFrom = (start: (number: number) => number): Traffic => {
    const traffic = new Traffic(plan, sizes, slots);
    dealt.forEach((slot, number) => {
      const at = isMoved.has(number) ? start(number) : slot;
      if (at >= 0) traffic.put(number, at);
    });
    const assignment = new Assignment(
      plan,
      traffic,
      atoms,
      plan.steps.map(() => slots.length),
    );
    assignment.greedy();
    assignment.improve();
    return traffic;
  };
  // Both starts may end in a place from which no single step leads on.
  const leaders = new Map(atoms.flatMap(({ channels }) => channels.map((number) => [number, channels[0] ?? number])));
  const fromDealt = tryFrom((number) => dealt[leaders.get(number) ?? number] ?? -1);
  const fromNothing = tryFrom(() => -1);
  const best = fromNothing.total() < fromDealt.total() ? fromNothing : fromDealt;
  for (const number of free) {
    const step = stepOf[number] ?? 0;
    const own = placed[step];
    if (own !== undefined) own[number - (offsets[step] ?? 0)] = slots[best.slotOf[number] ?? -1]?.id ?? "";
  }
}

/** True for a step that nothing binds to places: those of one channel, those that are spread, and those that go with such a one. */
function isAnywhere(plan: Plan, step: number): boolean {
  const placement = plan.steps[step]?.placement;
  if (placement?.kind === "with-step") return isAnywhere(plan, placement.step);
  return placement?.kind === "single" || placement?.kind === "spread";
}
