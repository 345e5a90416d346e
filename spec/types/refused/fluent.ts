// What must not compile: the built-in operators and sinks as methods.
import { defineFlow, type QStream } from "qstream";
import { wordcount } from "../accepted/fluent.ts";
import { acorns, leaves, numbers, words, type Leaf } from "../shared.ts";

const zero = (): number => 0;

// @ts-expect-error: an object isn't a key
export const a1 = leaves.reduceByKey("a", (leaf) => leaf, zero, (n) => n + 1);
// @ts-expect-error: the reduction gives another type than it began with
export const a2 = leaves.reduceByKey("a", (leaf) => leaf.tree, zero, (n) => `${n}`);
// @ts-expect-error: a leaf has no weight
export const a3 = leaves.reduceByKey("a", (leaf) => leaf.tree, zero, (n, leaf) => n + leaf.kg);
// @ts-expect-error: a merge of another type
export const a4 = leaves.reduceByKey("a", (leaf) => leaf.tree, zero, (n) => n + 1, { merge: (a: string) => a });
// @ts-expect-error: there is no initial value
export const a5 = leaves.reduceByKey("a", (leaf) => leaf.tree);
// @ts-expect-error: there is no such way to emit
export const a6 = leaves.foldByKey("a", (leaf) => leaf.tree, zero, (n) => n + 1, { emit: "always" });

// @ts-expect-error: the result is of both types
export const b1: QStream<Leaf> = leaves.union("a", acorns);
// @ts-expect-error: an array is no stream
export const b2 = leaves.union("a", [acorns]);
// @ts-expect-error: the pair has no third
export const b3 = numbers.zip("a", words).map("b", (pair) => pair[2]);
// @ts-expect-error: what is combined are a number and a word
export const b4 = numbers.zip("a", words, { combine: (n: string, word: string) => n + word });
// @ts-expect-error: there is no such join
export const b5 = leaves.join("a", acorns, { left: "tree", right: "kg", how: "outer" });
// @ts-expect-error: a key function of the other side
export const b6 = leaves.join("a", acorns, { left: (acorn) => acorn.kg, right: "kg" });
// @ts-expect-error: the right object may be missing
export const b7 = leaves.join("a", acorns, { left: "tree", right: "kg", how: "left", combine: (_l, r) => r.kg });
// @ts-expect-error: a key is missing
export const b8 = leaves.join("a", acorns, { left: "tree" });
// @ts-expect-error: the joined row has no such property
export const b9 = leaves.join("a", acorns, { left: "tree", right: "kg" }).map("b", (row) => row.weight);

// @ts-expect-error: there is no such property
export const c1 = leaves.sort("a", "height");
// @ts-expect-error: nor here
export const c2 = leaves.topK("a", 3, "height");
// @ts-expect-error: there is no such order
export const c3 = leaves.sort("a", { by: "size", order: "down" });
// @ts-expect-error: how many is a number
export const c4 = leaves.limit("a", "3");

// @ts-expect-error: it can't be collected as this
export const d1 = leaves.collect({ as: "json" });
// @ts-expect-error: it is called with leaves
export const d2 = leaves.forEach((acorn: { kg: number }) => void acorn.kg);
// @ts-expect-error: files are written to a path
export const d3 = leaves.toCsv();
// @ts-expect-error: a sink is no stream
export const d4 = leaves.collect().map("a", (leaf) => leaf);
// @ts-expect-error: the sink must be returned by a name
export const d5 = defineFlow(import.meta.url, () => leaves.collect());
// @ts-expect-error: an output that isn't there
export const d6 = wordcount.run({ path: "a" }).then(({ count }) => count);
// @ts-expect-error: what an object of the output hasn't
export const d7 = wordcount.run({ path: "a" }).then(({ counts }) => counts[0]?.count);

// @ts-expect-error: leaves have no such column to join by
export const e1 = leaves.join("a", acorns, { left: "height", right: "kg" });
// @ts-expect-error: acorns have no such column to join by
export const e2 = leaves.streamingJoin("a", acorns, { left: "tree", right: "weight" });
// @ts-expect-error: one of the names isn't there
export const e3 = leaves.broadcastJoin("a", acorns, { left: ["tree", "height"], right: ["kg", "kg"] });
// @ts-expect-error: leaves have no such column to group by
export const e4 = leaves.cogroup("a", acorns, { left: "height", right: "kg", combine: () => 1 });
