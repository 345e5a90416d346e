import type { OperatorDefinition } from "../lib/core/contracts/operator.ts";
import type { KeySelector } from "../lib/core/key.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { dealJoins, keysOf } from "./join/deal-joins.ts";
import { dealFrameStates, dealHashStates } from "./join/deal-hash-joins.ts";
import { FrameHashJoin } from "./join/frame-hash-join.ts";
import { JoinOperator } from "./join/join-operator.ts";
import { ObjectHashJoin } from "./join/object-hash-join.ts";
import {
  describeJoin,
  type Joined,
  type JoinKind,
  type JoinOptions,
  type JoinSide,
  ofJoins,
  planJoin,
} from "./join/options.ts";

export type { Joined, JoinKind, JoinOptions, JoinSide } from "./join/options.ts";

/** Options of `hashJoin`. */
export interface HashJoinOptions<
  L,
  R,
  How extends JoinKind = "inner",
  Out = Joined<L, R, How>,
  LeftKeys extends KeySelector<L> = KeySelector<L>,
  RightKeys extends KeySelector<R> = KeySelector<R>,
  Suffix extends string = "_2",
> extends JoinOptions<L, R, How, Out, LeftKeys, RightKeys, Suffix> {
  /** The side that is read first, and kept: the smaller one. Default `right`. */
  readonly build?: JoinSide;
}

/** The names of its options. */
export const hashJoinOptionNames: readonly string[] = namesOf<HashJoinOptions<object, object>>({
  ...ofJoins,
  build: true,
});

/**
 * Joins two streams on equal keys: reads the build side to its end into a table, then lets the other side pass by it. Inputs
 * are `left` and `right`, both partitioned by their keys. A missing key (null) matches nothing.
 *
 * Takes objects, or Arrow tables and Polars frames (also one of each), which are joined by Polars and come out as the left
 * side is; 64-bit keys are compared exactly. Where a channel saw no batch of a side, it doesn't know that side's columns, and
 * unmatched rows of the other come without them.
 *
 * @param options - keys of both sides, kind (`how`), build side, `combine`, `suffix`
 * @returns the operator; its result is confluent
 * @throws QStreamError OPTION_INVALID; while it runs LIMIT_EXCEEDED for a build side beyond `stateBytesMax`, BAD_INPUT for
 * a missing key column or types that can't be equal, MIXED_REPRESENTATION
 * @example
 * type Flight = { origin: string; delay: number };
 * type Airport = { iata: string; city: string };
 * hashJoin<Flight, Airport>({ left: "origin", right: "iata" }); // { origin, delay, iata, city }
 * hashJoin({
 *   left: (flight: Flight) => flight.origin,
 *   right: (airport: Airport) => airport.iata,
 *   how: "left",
 *   combine: (flight, airport) => ({ ...flight, city: airport?.city ?? "unknown" }),
 * });
 */
export function hashJoin<
  L,
  R,
  const How extends JoinKind = "inner",
  const LeftKeys extends KeySelector<L> = KeySelector<L>,
  const RightKeys extends KeySelector<R> = KeySelector<R>,
  const Suffix extends string = "_2",
  Out = Joined<L, R, How, LeftKeys, RightKeys, Suffix>,
>(
  options: HashJoinOptions<L, R, How, Out, LeftKeys, RightKeys, Suffix>,
): OperatorDefinition<{ left: L; right: R }, Out> {
  checkOptionNames("hashJoin()", options, hashJoinOptionNames);
  const build = options.build ?? "right";
  const plan = planJoin("hash-join", options);
  return {
    ...defineHashJoin<L, R, Out>("hash-join", options, build),
    deal: dealJoins({ objects: dealHashStates(plan, build), frames: dealFrameStates(plan, build) }),
    keys: keysOf<L, R>(plan),
  };
}

/** The definition of a build-probe join, by whatever name it has in explain. */
export function defineHashJoin<L, R, Out>(
  kind: string,
  // oxlint-disable-next-line typescript/no-explicit-any -- the caller's signature has the types
  options: JoinOptions<any, any, any, any, any, any, string>,
  build: JoinSide,
): OperatorDefinition<{ left: L; right: R }, Out> {
  const plan = planJoin(kind, options);
  return {
    kind,
    options: { ...describeJoin(plan), build },
    declares: "confluent",
    parallelism: "per-slot",
    representations: ["objects", "arrow", "polars"],
    stages: build === "right" ? { left: 1, right: 0 } : { left: 0, right: 1 },
    create: () =>
      new JoinOperator(plan, {
        objects: () => new ObjectHashJoin(plan, build),
        frames: (output) => new FrameHashJoin(plan, build, output),
      }) as never,
  };
}
