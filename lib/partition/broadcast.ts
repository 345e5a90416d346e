import type { PartitionFunction } from "../core/contracts/partition.ts";

/**
 * Sends a copy of each object to every channel. Channels of one slot share the object itself.
 *
 * @example q.apply("join", { big: flights.partition(roundRobin()), small: airports.partition(broadcast()) }, ...)
 */
export function broadcast(): PartitionFunction<unknown> {
  return {
    kind: "broadcast",
    label: "broadcast",
    router: ({ channels }) => ({
      objects: () => (channels === 1 ? 0 : "all"),
      batch: () => (channels === 1 ? 0 : "all"),
    }),
  };
}
