// What must not compile: partition functions, keys, placement.
import { broadcast, custom, hash, perSlot, range, roundRobin, slice, tagged } from "qstream";
import { acorns, frames, leaves, tables, words, type Leaf } from "../shared.ts";

const byTree = hash((leaf: Leaf) => leaf.tree);

// @ts-expect-error: a partition function of another type
export const a1 = acorns.partition(byTree);
// @ts-expect-error: a key function of another type
export const a2 = acorns.partition(hash((leaf: Leaf) => leaf.tree));
// @ts-expect-error: an acorn has no tree
export const a3 = acorns.partition(hash((acorn) => acorn.tree));
// @ts-expect-error: there is no such property
export const a4 = leaves.partition(hash("trees"));
// @ts-expect-error: one of several isn't there
export const a5 = leaves.partition(hash(["tree", "height"]));
// @ts-expect-error: there is no such column
export const a6 = tables.partition(hash("carrier"));
// @ts-expect-error: nor in a frame
export const a7 = frames.partition(hash(["origin", "carrier"]));
// @ts-expect-error: a function isn't a key
export const a8 = leaves.partition(hash((leaf) => () => leaf));
// @ts-expect-error: an object isn't a key
export const a9 = leaves.partition(hash((leaf) => leaf));
// @ts-expect-error: the name of a partition function isn't one
export const a10 = leaves.partition("hash");
// @ts-expect-error: hash wants a key
export const a11 = leaves.partition(hash());
// @ts-expect-error: a function instead of its result
export const a12 = leaves.partition(broadcast);
// @ts-expect-error: round robin has no key
export const a13 = leaves.partition(roundRobin("tree"));

// @ts-expect-error: bounds of another type than the key
export const b1 = leaves.partition(range((leaf) => leaf.size, ["a"]));
// @ts-expect-error: bounds of several types
export const b2 = leaves.partition(range((leaf) => leaf.tree, ["a", 1]));
// @ts-expect-error: times are no numbers
export const b3 = acorns.partition(range((acorn) => acorn.found, [0]));
// @ts-expect-error: there are no bounds
export const b4 = leaves.partition(range((leaf) => leaf.size));
// @ts-expect-error: there is no such property
export const b5 = leaves.partition(range("height", [1]));
// @ts-expect-error: a boolean has no ranges
export const b6 = leaves.partition(range((leaf) => leaf.size > 1, [true]));

// @ts-expect-error: a channel is a number
export const c1 = leaves.partition(custom((leaf) => leaf.tree));
// @ts-expect-error: slices of another type
export const c2 = leaves.partition(custom(() => [slice("0", words)]));
// @ts-expect-error: an operator isn't one that is partitioned again
export const c3 = leaves.partition(broadcast()).partition(broadcast());

// @ts-expect-error: a number of channels is a number
export const d1 = perSlot("1");
// @ts-expect-error: a tag is a text
export const d2 = tagged(3);
