import type { PartitionFunction } from "../core/contracts/partition.ts";

/**
 * Spreads objects evenly: each parcel is cut into one contiguous slice a channel, and the first slice moves on by one channel
 * from task to task. A columnar batch goes whole to the channel whose turn it is. What goes where depends on producing channel
 * and task number only, so replay repeats it.
 *
 * @example numbers.partition(roundRobin()).apply("square", () => new Square())
 */
export function roundRobin(): PartitionFunction<unknown> {
  return {
    kind: "round-robin",
    label: "round-robin",
    router: ({ from, channels }) => ({
      objects(objects, targets, { seq }) {
        const turn = (from + seq) % channels;
        if (channels === 1 || objects.length === 1) return turn;
        let at = 0;
        for (let slice = 0; slice < channels; slice += 1) {
          const target = targets[(turn + slice) % channels] as unknown[];
          for (const end = Math.ceil(((slice + 1) * objects.length) / channels); at < end; at += 1)
            target.push(objects[at]);
        }
        return undefined;
      },
      batch: (_, __, { seq }) => (from + seq) % channels,
    }),
  };
}
