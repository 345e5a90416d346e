// What must not compile: functions on edges, streams and sinks of another type.
import * as qstream from "qstream";
import type { QStream } from "qstream";
import { acorns, anySink, leaves, leafSink, numbers, oakLeaves, q, words, type Leaf, type OakLeaf } from "../shared.ts";

// @ts-expect-error: a leaf has no weight
export const a1 = leaves.map("a", (leaf) => leaf.kg);
// @ts-expect-error: the id comes first
export const a2 = leaves.map((leaf) => leaf.size);
// @ts-expect-error: there is no function
export const a3 = leaves.map("a");
// @ts-expect-error: a text would be taken apart into letters
export const a4 = numbers.flatMap("a", (n) => String(n));
// @ts-expect-error: a number is not several objects
export const a5 = numbers.flatMap("a", (n) => n);
// @ts-expect-error: a promise is not several objects
export const a6 = numbers.flatMap("a", async (n) => [n]);
// @ts-expect-error: a generator's return value would be lost
export const a7 = numbers.flatMap("a", function* (n) { yield n; return n; });
// @ts-expect-error: a predicate of a type that the stream doesn't hold
export const a8 = words.filter("a", (word): word is number => word.length > 1);
// @ts-expect-error: mapParcels takes all objects at once
export const a9 = leaves.mapParcels("a", (leaf) => [leaf.size]);
// @ts-expect-error: functions on edges don't end channels
export const a10 = leaves.tap("a", (_leaf, ctx) => ctx.stop());
// @ts-expect-error: objects are read-only where the type says so
export const a11 = leaves.tap("a", (leaf) => (leaf.size = 3));

// @ts-expect-error: a stream of another type
export const b1: QStream<Leaf> = acorns;
// @ts-expect-error: a stream of the base is none of the derived type
export const b2: QStream<OakLeaf> = leaves;
// @ts-expect-error: a map changes the type
export const b3: QStream<Leaf> = leaves.map("a", (leaf) => leaf.size);
// @ts-expect-error: an array is no pair
export const b4 = words.map("a", (word) => [word, 1]).map("b", ([, count]) => count.toFixed());
// @ts-expect-error: filter(Boolean) doesn't narrow
export const b5: QStream<number> = numbers.map("a", (n) => (n > 1 ? n : undefined)).filter("b", Boolean);
// @ts-expect-error: QStream is a type only
export const b6 = new qstream.QStream();
// @ts-expect-error: a stream isn't iterable
export const b7 = [...leaves];
// @ts-expect-error: the insides of a stream aren't public
void leaves.graph;

// @ts-expect-error: a sink of another type
export const c1 = acorns.to(leafSink);
// @ts-expect-error: a reader is no sink
export const c2 = leaves.to(q);
// @ts-expect-error: channels are a number
export const c3 = leaves.to(anySink, { channels: "2" });
// @ts-expect-error: a place is a strategy
export const c4 = leaves.to(anySink, { place: "single" });
// A sink of the base takes the derived type.
export const c5 = oakLeaves.to(leafSink);
