// Partition functions, keys, placement.
import {
  broadcast,
  custom,
  hash,
  passThrough,
  perMachine,
  perSlot,
  range,
  roundRobin,
  single,
  slice,
  tagged,
  withData,
  type PartitionFunction,
  type PartitionedStream,
  type PlacementStrategy,
} from "qstream";
import { acorns, frames, leaves, numbers, tables, words, type Leaf } from "../shared.ts";

declare const wide: boolean;

export const byFunction: PartitionedStream<Leaf> = leaves.partition(hash((leaf) => leaf.tree));
export const byList = leaves.partition(hash((leaf) => [leaf.tree, leaf.size]));
export const byName = leaves.partition(hash("tree"));
export const byNames = leaves.partition(hash(["tree", "size"]));
export const byDate = acorns.partition(hash("found"));
export const ofNumbers = numbers.partition(hash((n) => n % 3));
export const ofTables = tables.partition(hash("origin"));
export const ofFrames = frames.partition(hash(["origin", "delay"]));
export const byRange = leaves.partition(range((leaf) => leaf.size, [10, 20]));
export const byRangeOfName = leaves.partition(range("size", [10, 20]));
export const byTime = acorns.partition(range((acorn) => acorn.found, [new Date(0)]));
export const byRangeOfTables = tables.partition(range("delay", [0]));
export const chosen = leaves.partition(wide ? hash((leaf) => leaf.tree) : broadcast());
export const spread = words.partition(roundRobin()).map("a", (word) => word.length);
export const kept = words.partition(passThrough()).filter("b", (word) => word.length);
export const routed = leaves.partition(custom((leaf, { channels }) => leaf.size % channels));
export const sliced = words.partition(custom((word) => [slice(0, word.slice(1)), slice(1, word)]));

// Alone, a partition function names its type; one of any type fits everywhere.
export const leafHash = hash<Leaf>("tree");
export const annotated: PartitionFunction<Leaf> = hash((leaf: Leaf) => leaf.tree);
export const any: PartitionFunction<unknown> = broadcast();
export const usedAlone = [
  leaves.partition(leafHash),
  leaves.partition(annotated),
  leaves.partition(any),
  words.partition(any),
];

export const places: PlacementStrategy[] = [
  single(),
  perSlot(),
  perSlot(2),
  perMachine(),
  tagged("gpu", 2),
  withData(),
];
