import type { PartitionFunction, Router } from "../core/contracts/partition.ts";
import { passThrough } from "./pass-through.ts";
import { roundRobin } from "./round-robin.ts";

/** What an edge without a partition function gets: passed through where both sides have as many channels, else round robin. */
export function automatic(): PartitionFunction<unknown> {
  return {
    kind: "round-robin",
    label: "automatic",
    router: (route): Router<unknown> => chosen(route.producers, route.channels).router(route),
  };
}

/** Which partition function `automatic` stands for between given channel counts. */
export function chosen(producers: number, channels: number): PartitionFunction<unknown> {
  return producers === channels ? passThrough() : roundRobin();
}
