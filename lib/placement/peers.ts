import type { Plan } from "../core/plan.ts";

/** True for an edge that passes parcels straight on, so that each channel has few peers; all other edges may join any two. */
export function passesOn(plan: Plan, edge: number): boolean {
  const { from = -1, to = -1, partition } = plan.edges[edge] ?? {};
  const one = plan.steps[from]?.channels === 1 && plan.steps[to]?.channels === 1;
  return one || partition?.kind === "pass-through";
}

/** Pairs of channels, producer and consumer, that an edge joins which passes on. */
export function pairsOf(plan: Plan, edge: number): (readonly [from: number, to: number])[] {
  const { from = -1, to = -1 } = plan.edges[edge] ?? {};
  const producers = plan.steps[from]?.channels ?? 0;
  const consumers = plan.steps[to]?.channels ?? 0;
  const most = Math.max(producers, consumers);
  return Array.from({ length: most }, (_, index) =>
    producers === most
      ? ([index, Math.floor((index * consumers) / producers)] as const)
      : ([Math.floor((index * producers) / consumers), index] as const),
  );
}
