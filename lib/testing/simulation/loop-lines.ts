import type { CheckpointPositions } from "../../core/contracts/lineage.ts";
import type { Plan } from "../../core/plan.ts";
import type { ChannelNumbers } from "./channel-numbers.ts";
import { positionIn, type LogHistory } from "./log-history.ts";

/** The feedback edge of the step that a channel is of; undefined where that is no loop. */
export function loopEdgeOf(plan: Plan, step: number): number | undefined {
  const edge = plan.edges.findIndex(({ from, to, kind }) => kind === "feedback" && from === step && to === step);
  return edge < 0 ? undefined : edge;
}

type Kept = CheckpointPositions & { readonly seq: number };

/**
 * True if the channels of a loop, all of which start again when one is lost, still have checkpoints among which nothing is missing
 * that one had sent to another.
 */
export function canStartTogether(plan: Plan, numbers: ChannelNumbers, log: LogHistory, step: number): boolean {
  return newestLine(keptOf(plan, numbers, log, step), loopEdgeOf(plan, step) ?? -1) !== undefined;
}

/**
 * Seqs of the checkpoints that the channels of a loop keep in case that one of the newest which fit together is damaged; undefined
 * where there are none.
 */
export function spareTogether(
  plan: Plan,
  numbers: ChannelNumbers,
  log: LogHistory,
  step: number,
): readonly number[] | undefined {
  const edge = loopEdgeOf(plan, step) ?? -1;
  const kept = keptOf(plan, numbers, log, step);
  const newest = newestLine(kept, edge);
  if (newest === undefined) return undefined;
  const older = kept.map((list, channel) => list.filter(({ seq }) => seq < (newest[channel]?.seq ?? -1)));
  return newestLine(older, edge)?.map(({ seq }) => seq);
}

function keptOf(plan: Plan, numbers: ChannelNumbers, log: LogHistory, step: number): readonly (readonly Kept[])[] {
  const channels = plan.steps[step]?.channels ?? 0;
  return Array.from({ length: channels }, (_, channel) => log.channel(numbers.of(step, channel)).startable);
}

function newestLine(all: readonly (readonly Kept[])[], edge: number): readonly Kept[] | undefined {
  const kept = all.map((list) => [...list]);
  const isMissing = (from: number, to: number): boolean =>
    positionIn(kept[from]?.at(-1)?.made ?? [], edge, to) > positionIn(kept[to]?.at(-1)?.consumed ?? [], edge, from);
  for (;;) {
    const line = kept.flatMap((list) => list.at(-1) ?? []);
    if (line.length < kept.length) return undefined;
    const early = kept.findIndex((_, from) => kept.some((__, to) => isMissing(from, to)));
    if (early < 0) return line;
    kept[early]?.pop();
  }
}
