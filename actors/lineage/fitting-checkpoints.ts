import type { LinkPosition } from "../../lib/core/contracts/lineage.ts";
import type { Plan } from "../../lib/core/plan.ts";
import type { KnownCheckpoint } from "./retention.ts";

/** The checkpoints of a loop's channels, oldest first, by channel. */
export interface LoopCheckpoints {
  /** The loop's feedback edge. */
  readonly edge: number;
  readonly channels: readonly (readonly KnownCheckpoint[])[];
}

/** The feedback edge of a step; undefined for one that is no loop. */
export function feedbackEdgeOf(plan: Plan, step: number): number | undefined {
  return plan.steps[step]?.inputs.find(({ feedback }) => feedback !== undefined)?.edge;
}

/**
 * The newest checkpoints of a loop's channels that fit together: nothing that one channel had sent to another by its checkpoint is
 * missing from the other's, as nobody could make it again. (What a channel had taken by its checkpoint and the other hadn't sent by
 * its own is made again from the log, and not sent.) Each channel begins with its newest, and goes back while it doesn't fit: that
 * doesn't go on and on, since channels of a loop save their states at the same places.
 *
 * @param from - index of the newest that may be taken, by channel
 * @param suits - whether a channel may start there, as far as others than the loop's channels are concerned
 * @returns indexes by channel; undefined where there are none
 */
export function fittingCheckpoints(
  { edge, channels }: LoopCheckpoints,
  from: readonly number[],
  suits: (channel: number, checkpoint: KnownCheckpoint) => boolean,
): readonly number[] | undefined {
  const line = [...from];
  const fits = (channel: number): boolean => {
    const checkpoint = channels[channel]?.[line[channel] ?? -1];
    if (checkpoint === undefined || !suits(channel, checkpoint)) return false;
    const made = positionsOf(checkpoint, "made", edge);
    return channels.every((known, to) => {
      const other = known[line[to] ?? -1];
      return other === undefined || (made.get(to) ?? -1) <= (positionsOf(other, "consumed", edge).get(channel) ?? -1);
    });
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let channel = 0; channel < channels.length; channel++) {
      while ((line[channel] ?? -1) >= 0 && !fits(channel)) {
        line[channel] = (line[channel] ?? 0) - 1;
        changed = true;
      }
      if ((line[channel] ?? -1) < 0) return undefined;
    }
  }
  return line;
}

type Positions = ReadonlyMap<number, number>;

const known = new WeakMap<readonly LinkPosition[], Positions>();

/** Positions of one edge by the channel at its other end. A checkpoint's lists are of one loop only. */
function positionsOf(checkpoint: KnownCheckpoint, which: "made" | "consumed", edge: number): Positions {
  const list = checkpoint[which];
  let positions = known.get(list);
  if (positions === undefined) {
    positions = new Map(list.flatMap((position) => (position.edge === edge ? [[position.other, position.seq]] : [])));
    known.set(list, positions);
  }
  return positions;
}
