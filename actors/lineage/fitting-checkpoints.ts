import { positionsOn, type EdgePositions } from "./checkpoint-positions.ts";
import type { KnownCheckpoint } from "./retention.ts";

/** The checkpoints of a loop's channels, oldest first, by channel. */
export interface LoopCheckpoints {
  /** The loop's feedback edge. */
  readonly edge: number;
  readonly channels: readonly (readonly KnownCheckpoint[])[];
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
  // Where the feedback links stood in the checkpoint that each channel is at.
  const consumed = channels.map((known, to) => consumedBy(known[line[to] ?? -1], edge));
  const fits = (channel: number): boolean => {
    const checkpoint = channels[channel]?.[line[channel] ?? -1];
    if (checkpoint === undefined || !suits(channel, checkpoint)) return false;
    const made = positionsOn(checkpoint.made, edge);
    return consumed.every((other, to) => {
      return other === undefined || (made.get(to) ?? -1) <= (other.get(channel) ?? -1);
    });
  };
  for (let changed = true; changed;) {
    changed = false;
    for (let channel = 0; channel < channels.length; channel++) {
      while ((line[channel] ?? -1) >= 0 && !fits(channel)) {
        line[channel] = (line[channel] ?? 0) - 1;
        consumed[channel] = consumedBy(channels[channel]?.[line[channel] ?? -1], edge);
        changed = true;
      }
      if ((line[channel] ?? -1) < 0) return undefined;
    }
  }
  return line;
}

function consumedBy(checkpoint: KnownCheckpoint | undefined, edge: number): EdgePositions | undefined {
  return checkpoint === undefined ? undefined : positionsOn(checkpoint.consumed, edge);
}
