import type { PartitionFunction, Route } from "../core/contracts/partition.ts";

/**
 * Sends whole parcels straight on: with as many channels on both sides, channel i to channel i. With fewer consumers, each
 * takes as many producers; with more, each producer takes turns over as many consumers. One of the two numbers has to be a
 * multiple of the other.
 *
 * @example readings.partition(passThrough()).apply("parse", () => new Parse())
 */
export function passThrough(): PartitionFunction<unknown> {
  return {
    kind: "pass-through",
    label: "pass-through",
    check(producers, channels) {
      if (producers % channels === 0 || channels % producers === 0) return undefined;
      return `passThrough() can't go from ${producers} channels to ${channels}: neither number is a multiple of the other`;
    },
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
