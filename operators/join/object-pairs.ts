import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { type KeySelector, keyFunction, mapKey, type MapKey } from "../../lib/core/key.ts";
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
  return plan.combine ?? mergeFunction(plan, [...sharedKeys(plan)]);
}

type Properties = Readonly<Record<string, unknown>>;

function mergeFunction(plan: JoinPlan, shared: readonly string[]): Combine {
  const merge = (left: Properties, right: Properties): Properties => {
    for (const name in right) {
      if (Object.hasOwn(left, name) && !shared.includes(name)) return mergeClashing(plan, shared, left, right);
    }
    const merged: Record<string, unknown> = { ...left, ...right };
    // 5 and 5n are equal keys: the left one's form stays.
    for (const name of shared) merged[name] = left[name];
    return merged;
  };
  return (left, right) => {
    if (left === undefined) return right;
    if (right === undefined) return left;
    if (typeof left !== "object" || typeof right !== "object") {
      throw new QStreamError("BAD_INPUT", `${plan.what}: a ${typeof left} and a ${typeof right} can't be merged`, {
        advice: "Streams of other things than plain objects need the option combine.",
      });
    }
    return merge(left as Properties, right as Properties);
  };
}

function mergeClashing(plan: JoinPlan, shared: readonly string[], left: Properties, right: Properties): Properties {
  const merged: Record<string, unknown> = { ...left };
  for (const [name, value] of Object.entries(right)) {
    if (!Object.hasOwn(left, name)) merged[name] = value;
    else if (!shared.includes(name)) merged[renamed(name, plan, (other) => other in left || other in right)] = value;
  }
  return merged;
}

/** A clashing right name with the suffix. @throws QStreamError OPTION_INVALID if that is taken too */
export function renamed(name: string, plan: JoinPlan, taken: (name: string) => boolean): string {
  const other = `${name}${plan.suffix}`;
  if (!taken(other)) return other;
  throw new QStreamError("OPTION_INVALID", `${plan.what}: "${name}" is on both sides, and "${other}" is taken too`, {
    column: name,
    advice: "Set another suffix.",
  });
}
