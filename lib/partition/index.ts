export { automatic, chosen } from "./automatic.ts";
export { broadcast } from "./broadcast.ts";
export { custom, type CustomRoute, type Destination, type RowChannels, slice, Slice } from "./custom.ts";
export { hash, hashWhole } from "./hash.ts";
export type { KeyColumns, RowIn } from "../core/key-columns.ts";
export { passThrough } from "./pass-through.ts";
export { type OrderedKey, range } from "./range.ts";
export { roundRobin } from "./round-robin.ts";
