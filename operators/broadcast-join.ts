import type { OperatorDefinition } from "../lib/core/contracts/operator.ts";
import { QStreamError } from "../lib/core/errors.ts";
import type { KeySelector } from "../lib/core/key.ts";
import { checkOptionNames } from "../lib/core/option-names.ts";
import { defineHashJoin } from "./hash-join.ts";
import { joinOptionNames, type Joined, type JoinOptions } from "./join/options.ts";

/** Kinds that are right where every channel has the whole right side and a part of the left. */
export type BroadcastJoinKind = "inner" | "left" | "semi" | "anti";

/**
 * Joins a stream with a small one: every channel gets a copy of the right side (give that input a `broadcast()` partition),
 * and keeps it; left objects stay in the channel where they are, so the left input needs no exchange.
 *
 * Right and full joins are refused: a channel can't know whether a right object has its match in another channel.
 *
 * @param options - as for `hashJoin`; the build side is the right
 * @throws QStreamError OPTION_INVALID; while it runs, as `hashJoin`
 * @example
 * broadcastJoin<{ origin: string }, { iata: string; city: string }>({ left: "origin", right: "iata" });
 */
export function broadcastJoin<
  L,
  R,
  const How extends BroadcastJoinKind = "inner",
  const LeftKeys extends KeySelector<L> = KeySelector<L>,
  const RightKeys extends KeySelector<R> = KeySelector<R>,
  const Suffix extends string = "_2",
  Out = Joined<L, R, How, LeftKeys, RightKeys, Suffix>,
>(options: JoinOptions<L, R, How, Out, LeftKeys, RightKeys, Suffix>): OperatorDefinition<{ left: L; right: R }, Out> {
  checkOptionNames("broadcastJoin()", options, joinOptionNames);
  const how: string | undefined = options.how;
  if (how === "right" || how === "full") {
    throw new QStreamError(
      "OPTION_INVALID",
      `broadcast-join: a ${how} join would give right objects once for each channel`,
      {
        advice: "With copies of the right side, no channel knows whether another one matched it. Use hashJoin.",
      },
    );
  }
  return defineHashJoin("broadcast-join", options, "right");
}
