import { isDeepStrictEqual } from "node:util";
import { encodeObjects } from "../core/codec/index.ts";

/**
 * Objects in an order of their own, so that results that are equal as multisets compare equal by position.
 *
 * @example
 * assert.equal(multiset([2, 1]), multiset([1, 2]));
 */
export function multiset<T>(objects: Iterable<T>): T[] {
  return [...objects]
    .map((object) => ({ object, key: Buffer.from(encodeObjects([object]).bytes).toString("latin1") }))
    .toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
    .map(({ object }) => object);
}

/** True if both hold equal objects equally often. */
export function sameMultiset(left: Iterable<unknown>, right: Iterable<unknown>): boolean {
  return isDeepStrictEqual(multiset(left), multiset(right));
}
