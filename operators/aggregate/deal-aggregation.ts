import { loadBatches } from "../../lib/core/batch/index.ts";
import type { Deal } from "../../lib/core/contracts/operator.ts";
import { dealFrameGroups, type FrameGroupsState, joinedFrameGroups } from "./frame-groups.ts";
import { dealGroups, type GroupState, mergedGroups } from "./object-groups.ts";
import type { AggregatePlan } from "./plan.ts";

/** The state of an aggregation: groups of plain objects, or of batches. */
export interface AggregationState {
  readonly objects: readonly GroupState[];
  readonly frames: FrameGroupsState;
}

/** Puts the taken groups of several states, each of which has its own, into one. */
export function dealAggregation(
  states: readonly AggregationState[],
  deal: Deal,
  { by }: AggregatePlan,
): AggregationState | Promise<AggregationState> {
  const objects = dealGroups(
    states.map((state) => state.objects),
    deal,
  );
  const frames = states.map((state) => state.frames);
  if (!frames.some(hasBatches)) return { objects, frames: joinedFrameGroups(frames) };
  return loadBatches().then((support) => ({ objects, frames: dealFrameGroups(frames, by, deal, support) }));
}

/** The same before the exchange, where any channel may have any group. */
export function dealPartialAggregation(
  states: readonly AggregationState[],
  { takesRest }: Deal,
  plan: AggregatePlan,
): AggregationState {
  const taken = takesRest ? states : [];
  return {
    objects: mergedGroups(
      taken.map(({ objects }) => objects),
      plan,
    ),
    frames: joinedFrameGroups(taken.map(({ frames }) => frames)),
  };
}

function hasBatches({ pending, states }: FrameGroupsState): boolean {
  return pending.payloads.length > 0 || states.payloads.length > 0;
}
