// Functions on edges, and what they make of the type of a stream.
import type { QStream } from "qstream";
import { acorns, is, leaves, numbers, oakLeaves, words, type Leaf, type OakLeaf, type Same } from "../shared.ts";

type ObjectOf<S> = S extends QStream<infer T> ? T : never;

const sizes = leaves.map("a", (leaf) => leaf.size);
is<Same<ObjectOf<typeof sizes>, number>>();

const pairs = words.map("b", (word) => [word, 1] as const);
is<Same<ObjectOf<typeof pairs>, readonly [string, 1]>>();

const united = numbers.flatMap("c", (n) => (n > 0 ? [n] : [String(n)]));
is<Same<ObjectOf<typeof united>, number | string>>();

const generated = numbers.flatMap("d", function* (n) {
  for (let i = 0; i < n; i++) yield { i };
});
is<Same<ObjectOf<typeof generated>, { i: number }>>();

const matched = words.flatMap("e", (word) => word.match(/\w/g) ?? []);
is<Same<ObjectOf<typeof matched>, string>>();

export const collections = numbers.flatMap("f", (n) => new Set([n])).flatMap("g", (n) => new Map([[n, n]]).values());

type Shape = { kind: "circle"; radius: number } | { kind: "square"; side: number };
const shapes = numbers.map("h", (n): Shape => (n > 0 ? { kind: "circle", radius: n } : { kind: "square", side: n }));
const circles = shapes.filter("i", (shape) => shape.kind === "circle");
is<Same<ObjectOf<typeof circles>, { kind: "circle"; radius: number }>>();

const defined = numbers.map("j", (n) => (n > 1 ? n : undefined)).filter("k", (n) => n !== undefined);
is<Same<ObjectOf<typeof defined>, number>>();

export const truthy: QStream<Leaf> = leaves.filter("l", (leaf) => leaf.size);
export const looked: QStream<Leaf> = leaves.tap("m", (leaf, ctx) => ctx.count(leaf.tree, leaf.size));
export const drawn: QStream<number> = numbers.map("n", (n, ctx) => n + ctx.random() + ctx.now() + ctx.channel);
export const parcels: QStream<string> = words.mapParcels("o", (objects) => objects.toSorted());

// A stream of a derived type is one of its base.
export const base: QStream<Leaf> = oakLeaves;
export const either: QStream<Leaf | Date> = acorns.map("p", (acorn) => acorn.found);
export const derived: QStream<OakLeaf> = leaves.filter("q", (leaf): leaf is OakLeaf => "lobes" in leaf);

// In a generic helper.
export function nonNull<T>(id: string, stream: QStream<T | null>): QStream<T & {}> {
  return stream.filter(id, (object): object is T & {} => object !== null && object !== undefined);
}
export const present: QStream<number> = nonNull(
  "r",
  numbers.map("s", (n) => (n > 0 ? n : null)),
);
