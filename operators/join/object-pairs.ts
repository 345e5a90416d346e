import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { type KeySelector, keyFunction, mapKey, type MapKey } from "../../lib/core/key.ts";
import { mergeFunction } from "./merge-objects.ts";
import { type JoinPlan, sharedKeys } from "./options.ts";

/** A key that can match, as a `Map` takes it; undefined for one that is missing or has a missing part. */
export type MatchKey = Exclude<MapKey, null | undefined>;

/** The function that takes the key from an object; missing keys match nothing, so they have none. */
export function matchKeyFunction(selector: KeySelector<unknown>): (object: unknown) => MatchKey | undefined {
  const keyOf = keyFunction(selector);
  return (object) => {
    const key = keyOf(object);
    if (key === null || key === undefined) return undefined;
    if (Array.isArray(key) && hasMissing(key)) return undefined;
    return mapKey(key) as MatchKey;
  };
}

function hasMissing(key: readonly Key[]): boolean {
  return key.some((part) => part === null || part === undefined || (Array.isArray(part) && hasMissing(part)));
}

type Combine = (left: unknown, right: unknown) => unknown;

/** The user's `combine`, or the one that merges two plain objects. */
export function combineFunction(plan: JoinPlan): Combine {
  return plan.combine ?? mergeOrPass(plan);
}

/** Merges two plain objects; one that stands alone passes as it is. */
function mergeOrPass(plan: JoinPlan): Combine {
  const merge = mergeFunction(plan, [...sharedKeys(plan)]);
  return (left, right) => {
    if (left === undefined) return right;
    if (right === undefined) return left;
    if (isMergeable(left) && isMergeable(right)) return merge(left, right);
    throw new QStreamError("BAD_INPUT", `${plan.what}: a ${nameOf(left)} and a ${nameOf(right)} can't be merged`, {
      advice: "Streams of other things than plain objects need the option combine.",
    });
  };
}

function isMergeable(object: unknown): object is Readonly<Record<string, unknown>> {
  return typeof object === "object" && object !== null && !Array.isArray(object);
}

function nameOf(object: unknown): string {
  return Array.isArray(object) ? "array" : object === null ? "null" : typeof object;
}
