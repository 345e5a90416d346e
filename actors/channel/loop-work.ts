import type { Context } from "../../lib/core/contracts/context.ts";
import type { LoopPlan, LoopTaskOperator, Round } from "../../lib/core/contracts/loop.ts";
import type { Outputs } from "../../lib/core/contracts/operator.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { feedbackEdgeOf, type PlannedStep } from "../../lib/core/plan.ts";
import { Loop } from "./loop.ts";
import { OperatorWork } from "./work.ts";

type AnyLoopOperator = LoopTaskOperator<unknown, unknown, unknown, unknown, unknown>;

/** The work of a loop's channel: that of an operator, and what it does at the ends of rounds. */
export class LoopWork extends OperatorWork {
  readonly loop: Loop;
  readonly #operator: AnyLoopOperator;

  constructor(create: () => unknown, strict: boolean, plan: LoopPlan, step: PlannedStep) {
    const operator = create() as AnyLoopOperator;
    super(() => operator as never, strict);
    refuseOtherKind(operator, plan);
    this.#operator = operator;
    const { vote, merge } = operator;
    this.loop = new Loop(plan, step.channels, feedbackEdgeOf(step) ?? -1, {
      vote: vote === undefined ? undefined : () => operator.vote?.(),
      merge: merge === undefined ? undefined : (left, right) => operator.merge?.(left, right),
    });
  }

  /** A round ends in this channel. */
  round(round: Round<unknown>, ctx: Context): Outputs<unknown> {
    return this.#operator.round?.(round, ctx);
  }

  override done(ctx: Context): Outputs<unknown> {
    return this.#operator.done?.(this.loop.last, ctx);
  }
}

/** What isn't a loop's operator, or one for loops of another kind, would seem to work and do something else. */
function refuseOtherKind(operator: AnyLoopOperator, { mode }: LoopPlan): void {
  const { round, vote, merge } = operator;
  const odd = Object.entries({ accepts: 0, onTimer: 0 }).find(([name]) => name in operator)?.[0];
  if (odd !== undefined) throw refused(`the operator of a loop has ${odd}`, `Leave ${odd} out: loops don't call it`);
  if (mode === "rounds" && typeof round !== "function") {
    throw refused("the operator of a loop with rounds has no round", "Give it round(), or ask for rounds: false");
  }
  if (mode === "asynchronous" && round !== undefined) {
    throw refused(
      "the operator of a loop without rounds has round",
      "Feed back from execute, or leave out rounds: false",
    );
  }
  if ((vote === undefined) !== (merge === undefined)) {
    const [has, lacks] = vote === undefined ? ["merge", "vote"] : ["vote", "merge"];
    throw refused(
      `the operator has ${has} without ${lacks}`,
      "Votes are made by vote and merged by merge: give it both",
    );
  }
}

function refused(what: string, advice: string): QStreamError {
  return new QStreamError("OPTION_INVALID", what, { advice });
}
