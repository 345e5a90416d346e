import type { CheckpointPositions } from "../../lib/core/contracts/lineage.ts";
import type { ChannelParts } from "./channel-parts.ts";
import type { InputPosition } from "./inputs.ts";

/** Where a channel's links stand, for recovery to be planned by. */
export function positionsOf(
  { inputEdges, outputs }: Pick<ChannelParts, "inputEdges" | "outputs">,
  inputs: readonly InputPosition[],
): CheckpointPositions {
  const consumed = inputs.flatMap((position, input) =>
    position.consumed.map(([other, seq]) => ({ edge: inputEdges[input]?.edge ?? -1, other, seq })),
  );
  const made = outputs.links.flatMap(({ edge, to, madeSeq }) => (madeSeq < 0 ? [] : { edge, other: to, seq: madeSeq }));
  return { consumed, made };
}
