import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { QStreamError } from "../../lib/core/errors.ts";
import type { KeySelector } from "../../lib/core/key.ts";
import type { KeyOf } from "../../lib/core/key-columns.ts";
import { namesOf } from "../../lib/core/option-names.ts";

/**
 * Which pairs and which unmatched objects a join gives: `inner`: pairs; `left`, `right`, `full`: pairs, and the unmatched
 * objects of that side or of both; `semi`: left objects that have a match, once each; `anti`: left objects that have none.
 */
export type JoinKind = "inner" | "left" | "right" | "full" | "semi" | "anti";

/** One of the two inputs of a join. */
export type JoinSide = "left" | "right";

/** What `combine` gets for the left side: undefined where a right object may be without match. */
export type LeftOf<L, How extends JoinKind> = How extends "right" | "full" ? L | undefined : L;

/** What `combine` gets for the right side: undefined where a left object may be without match. */
export type RightOf<R, How extends JoinKind> = How extends "left" | "full" ? R | undefined : R;

/** Names that both sides have as keys at the same place; `string` where the names aren't known to the compiler. */
export type SharedKeys<LeftKeys, RightKeys> = LeftKeys extends string
  ? RightKeys extends LeftKeys
    ? LeftKeys
    : never
  : LeftKeys extends readonly [infer L, ...infer Ls]
    ? RightKeys extends readonly [infer R, ...infer Rs]
      ? (L extends R ? Extract<L, string> : never) | SharedKeys<Ls, Rs>
      : never
    : never;

type Clashing<L, R, Shared> = Exclude<keyof L & keyof R & string, Shared>;

/** Right properties under the names that they have beside left ones: a clashing one with the suffix. */
type RightBeside<L, R, Shared, Suffix extends string> = string extends Shared
  ? { [K in Exclude<keyof R, keyof L>]: R[K] } & { [K in keyof L & keyof R & string as `${K}${Suffix}`]?: R[K] }
  : { [K in Exclude<keyof R, keyof L>]: R[K] } & { [K in Clashing<L, R, Shared> as `${K}${Suffix}`]: R[K] };

type Flat<T> = { [K in keyof T]: T[K] } & {};

/** The object of a pair as the default `combine` makes it. */
type Pair<L, R, Shared, Suffix extends string> = Flat<L & RightBeside<L, R, Shared, Suffix>>;

/** What a join without `combine` gives. */
export type Joined<
  L,
  R,
  How extends JoinKind,
  LeftKeys = string,
  RightKeys = string,
  Suffix extends string = "_2",
> = How extends "semi" | "anti"
  ? L
  : L extends Table
    ? Table
    : L extends DataFrame
      ? DataFrame
      :
          | Pair<L, R, SharedKeys<LeftKeys, RightKeys>, Suffix>
          | (How extends "left" | "full" ? L : never)
          | (How extends "right" | "full" ? R : never);

/** Options that all joins have. */
export interface JoinOptions<
  L,
  R,
  How extends JoinKind = "inner",
  Out = Joined<L, R, How>,
  LeftKeys extends KeySelector<L> = KeySelector<L>,
  RightKeys extends KeySelector<R> = KeySelector<R>,
  Suffix extends string = "_2",
> {
  /** Key of the left side: a property or column name, several, or a function (for objects only). */
  readonly left: LeftKeys & KeyOf<L>;
  /** Key of the right side, with as many names as the left. Missing keys (null) match nothing. */
  readonly right: RightKeys & KeyOf<R>;
  /** Default `inner`. */
  readonly how?: How;
  /**
   * Makes the result of a pair, or of an object without match, whose other side is undefined. For objects only. Default:
   * `{ ...left, ...right }`, where clashing right names get the suffix, and a key that has the same name on both sides stays
   * one property. An unmatched object passes as it is: where names clash, `combine` tells the sides apart.
   */
  readonly combine?: (left: LeftOf<L, How>, right: RightOf<R, How>) => Out;
  /** What clashing right names end in. Default `_2`. */
  readonly suffix?: Suffix;
  /** Estimated bytes that one channel may keep; more is LIMIT_EXCEEDED. Default: the execution's `stateBytes`. */
  readonly stateBytesMax?: number;
}

/** Their names. */
export const ofJoins = {
  left: true,
  right: true,
  how: true,
  combine: true,
  suffix: true,
  stateBytesMax: true,
} as const;
export const joinOptionNames: readonly string[] = namesOf<JoinOptions<object, object>>(ofJoins);

/** The options of a join, checked and with defaults, whatever the types of its sides. */
export interface JoinPlan {
  readonly what: string;
  readonly left: KeySelector<unknown>;
  readonly right: KeySelector<unknown>;
  readonly how: JoinKind;
  readonly combine: ((left: unknown, right: unknown) => unknown) | undefined;
  readonly suffix: string;
  readonly stateBytesMax: number | undefined;
}

const kinds: readonly string[] = ["inner", "left", "right", "full", "semi", "anti"] satisfies JoinKind[];

/** Checks options that types can't, and fills in defaults. @throws QStreamError OPTION_INVALID */
// oxlint-disable-next-line typescript/no-explicit-any -- the plan is made for whatever types the sides have
export function planJoin(what: string, options: JoinOptions<any, any, any, any, any, any, string>): JoinPlan {
  const { left, right, combine, suffix = "_2", stateBytesMax } = options;
  const how: JoinKind = options.how ?? "inner";
  const names = (selector: unknown): number | undefined =>
    typeof selector === "function" ? undefined : Array.isArray(selector) ? selector.length : 1;
  const [leftNames, rightNames] = [names(left), names(right)];
  if (!kinds.includes(how)) throw refused(what, `there is no join of kind "${how}"`, `Use one of ${kinds.join(", ")}.`);
  if (leftNames === 0 || rightNames === 0)
    throw refused(what, "a key has no names", "Name at least one property or column.");
  if (leftNames !== undefined && rightNames !== undefined && leftNames !== rightNames) {
    throw refused(what, `the left key has ${leftNames} names and the right ${rightNames}`, "Give both sides as many.");
  }
  if (combine !== undefined && (how === "semi" || how === "anti")) {
    throw refused(
      what,
      `a ${how} join gives left objects and combines nothing`,
      "Leave out combine, and map the result.",
    );
  }
  if (suffix === "") throw refused(what, "the suffix is empty", "Clashing names need one to stay apart.");
  return { what, left, right, how, combine, suffix, stateBytesMax } as JoinPlan;
}

function refused(what: string, reason: string, advice: string): QStreamError {
  return new QStreamError("OPTION_INVALID", `${what}: ${reason}`, { advice });
}

/** Names that are keys of both sides at the same place, and so stay one property or column. */
export function sharedKeys(plan: JoinPlan): ReadonlySet<string> {
  const [left, right] = [keyNames(plan.left), keyNames(plan.right)];
  return new Set(left?.filter((name, index) => right?.[index] === name));
}

/** The names of a key, or undefined for a function. */
export function keyNames(selector: KeySelector<unknown>): readonly string[] | undefined {
  if (typeof selector === "function") return undefined;
  return typeof selector === "string" ? [selector] : selector;
}

/** What describes a join in a fingerprint: of a function that there is one, as its text differs between a module and its bundle. */
export function describeJoin(plan: JoinPlan): Record<string, unknown> {
  const described = (value: unknown): unknown => (typeof value === "function" ? "function" : value);
  const { what: _, ...options } = plan;
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, described(value)]));
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
