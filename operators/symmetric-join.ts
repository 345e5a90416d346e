import type { OperatorDefinition } from "../lib/core/contracts/operator.ts";
import type { KeySelector } from "../lib/core/key.ts";
import { checkOptionNames } from "../lib/core/option-names.ts";
import { dealJoins, keysOf } from "./join/deal-joins.ts";
import { dealKeptFrames, dealKeptObjects } from "./join/deal-symmetric-joins.ts";
import { FrameSymmetricJoin } from "./join/frame-symmetric-join.ts";
import { JoinOperator } from "./join/join-operator.ts";
import { ObjectSymmetricJoin } from "./join/object-symmetric-join.ts";
import {
  describeJoin,
  type Joined,
  type JoinKind,
  type JoinOptions,
  joinOptionNames,
  planJoin,
} from "./join/options.ts";

/**
 * Joins two streams on equal keys while both are still coming: each object meets what the other side has brought so far, so
 * that pairs (and the results of a semi join) go out at once and no side waits for the other. Both sides are kept; unmatched
 * objects go out at the end. Inputs, keys, kinds and representations are those of `hashJoin`.
 *
 * Batches are joined in groups which grow with what is kept, half as many rows: a late batch may wait for others.
 *
 * @param options - keys of both sides, kind (`how`), `combine`, `suffix`
 * @returns the operator; its result is confluent
 * @throws QStreamError OPTION_INVALID; while it runs LIMIT_EXCEEDED when both sides exceed `stateBytesMax`, BAD_INPUT,
 * MIXED_REPRESENTATION
 * @example
 * symmetricJoin<{ order: number; sum: number }, { order: number; paid: Date }>({ left: "order", right: "order" });
 */
export function symmetricJoin<
  L,
  R,
  const How extends JoinKind = "inner",
  const LeftKeys extends KeySelector<L> = KeySelector<L>,
  const RightKeys extends KeySelector<R> = KeySelector<R>,
  const Suffix extends string = "_2",
  Out = Joined<L, R, How, LeftKeys, RightKeys, Suffix>,
>(options: JoinOptions<L, R, How, Out, LeftKeys, RightKeys, Suffix>): OperatorDefinition<{ left: L; right: R }, Out> {
  checkOptionNames("symmetricJoin()", options, joinOptionNames);
  const plan = planJoin("symmetric-join", options);
  return {
    kind: "symmetric-join",
    options: describeJoin(plan),
    declares: "confluent",
    parallelism: "per-slot",
    representations: ["objects", "arrow", "polars"],
    create: () =>
      new JoinOperator(plan, {
        objects: () => new ObjectSymmetricJoin(plan),
        frames: (output) => new FrameSymmetricJoin(plan, output),
      }) as never,
    deal: dealJoins({ objects: dealKeptObjects(plan), frames: dealKeptFrames(plan) }),
    keys: keysOf<L, R>(plan),
  };
}
