import type { PartitionFunction, Route } from "../core/contracts/partition.ts";

/**
 * Sends whole parcels straight on: with as many channels on both sides, channel i to channel i. With fewer consumers, each
 * takes a contiguous range of producers; with more, each producer takes turns over a contiguous range of consumers.
 *
 * @example readings.partition(passThrough()).apply("parse", () => new Parse())
 */
export function passThrough(): PartitionFunction<unknown> {
  return {
    kind: "pass-through",
    label: "pass-through",
    router(route) {
      const [first, count] = consumersOf(route);
      return {
        objects: (_, __, { seq }) => first + (seq % count),
        batch: (_, __, { seq }) => first + (seq % count),
      };
    },
  };
}

/** First consumer of a producer, and how many it has. */
function consumersOf({ from, producers, channels }: Route): [first: number, count: number] {
  const first = Math.floor((from * channels) / producers);
  if (channels <= producers) return [first, 1];
  return [first, Math.floor(((from + 1) * channels) / producers) - first];
}
