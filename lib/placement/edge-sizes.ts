import type { Plan } from "../core/plan.ts";
import type { EdgeSizes } from "../core/placement-strategy.ts";

/** Bytes that the channels of a step took and sent. */
export interface StepBytes {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * How much went over each edge, by what its steps have measured: all that its producer sent, where that has one edge, or all
 * that its consumer took. Where both have several, what isn't known of the producer's output is shared equally.
 *
 * @param steps - by the plan's index
 * @returns undefined where nothing was measured yet
 */
export function edgeSizes(plan: Plan, steps: readonly (StepBytes | undefined)[]): EdgeSizes | undefined {
  const known = plan.edges.map(({ from, to }): number | undefined => {
    if (plan.steps[from]?.outputs.length === 1) return steps[from]?.bytesOut ?? 0;
    if (plan.steps[to]?.inputs.length === 1) return steps[to]?.bytesIn ?? 0;
    return undefined;
  });
  const sizes = known.map((bytes, edge) => {
    if (bytes !== undefined) return bytes;
    const from = plan.edges[edge]?.from ?? -1;
    const others = plan.steps[from]?.outputs ?? [];
    const rest = others.reduce((left, other) => left - (known[other] ?? 0), steps[from]?.bytesOut ?? 0);
    return Math.max(0, rest) / others.filter((other) => known[other] === undefined).length;
  });
  return sizes.some((bytes) => bytes > 0) ? sizes : undefined;
}
