import { feedbackName, type LoopPlan, type RoundEnd } from "../core/contracts/loop.ts";
import type { Declares } from "../core/contracts/operator.ts";
import type { PartitionFunction } from "../core/contracts/partition.ts";
import { QStreamError } from "../core/errors.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import { shown } from "../core/shown.ts";
import type { Input } from "./make-step.ts";
import { isPartition, partitionAdvice } from "./partition-wanted.ts";
import type { QStream } from "./qstream.ts";
import type { StepOptions } from "./stream-types.ts";

/**
 * How what a loop feeds back comes to its channels: a partition function over it, or a function that puts others on it first and
 * gives what the operator takes as `feedback`.
 */
export type FeedbackWay<Fed, F> =
  | ([Fed] extends [F] ? PartitionFunction<F> : never)
  | ((fed: QStream<Fed>) => Input<F>);

/** Options of `iterate`. Without `rounds` and `until`, the loop ends once nothing was fed back. */
export interface IterateOptions<Names extends PropertyKey, Fed, F, Vote> extends StepOptions {
  /**
   * The feedback edge: to which channels objects return.
   *
   * @example
   * feedback: hash((message) => message.to)
   * feedback: (fed) => fed.filter("near", ({ steps }) => steps < 5).partition(hash("to"))
   */
  readonly feedback: FeedbackWay<Fed, F>;
  /** How often what is fed back returns, from 1 on; `false` for a loop without rounds, which takes it as it comes. */
  readonly rounds?: number | false;
  /**
   * Asked at the end of each round, in each channel, with the same: true if what was fed back in it is the last. It may depend on
   * nothing else.
   */
  readonly until?: (end: RoundEnd<Vote>) => boolean;
  /** The loop fails (LIMIT_EXCEEDED) when it has more rounds. Default 10,000, or as many as `rounds` says. */
  readonly roundsMax?: number;
  /** The order in which inputs are drained: an input of a lower stage is read to its end first. Default 0. */
  readonly stages?: { readonly [K in Names]?: number };
  /** What the result depends on; `order-sensitive` unless told. */
  readonly declares?: Declares;
  /** Name of the operator for explain; the name of its class unless told. */
  readonly kind?: string;
}

/** Options of a loop whose operator feeds nothing back: its channels tell each other by votes alone. */
export interface VotingOptions<Names extends PropertyKey, Vote> extends Omit<
  IterateOptions<Names, unknown, unknown, Vote>,
  "feedback"
> {
  readonly feedback?: undefined;
}

/** Options of the loop whose operator takes these inputs, among them what is fed back if anything is. */
export type OptionsOfLoop<All, Fed, Vote> = "feedback" extends keyof All
  ? IterateOptions<Exclude<keyof All, "feedback">, Fed, All["feedback"], Vote>
  : VotingOptions<keyof All, Vote>;

const names = namesOf<IterateOptions<string, unknown, unknown, unknown>>({
  channels: true,
  place: true,
  feedback: true,
  rounds: true,
  until: true,
  roundsMax: true,
  stages: true,
  declares: true,
  kind: true,
});

const roundsMaxDefault = 10_000;

/**
 * Checks the options of `iterate`, for those who have no compiler to do so.
 *
 * @throws QStreamError OPTION_INVALID; INPUT_UNKNOWN for an input of the name that what is fed back has
 */
export function loopPlanOf(
  id: string,
  inputs: Readonly<Record<string, unknown>>,
  options: IterateOptions<never, never, never, never>,
): LoopPlan {
  checkOptionNames(`iterate("${id}")`, options, names);
  const { rounds, until, roundsMax } = options;
  const feeds = options.feedback !== undefined;
  const refuse = (what: string, advice?: string): never => {
    throw new QStreamError("OPTION_INVALID", `iterate("${id}") ${what}`, { step: id, ...(advice ? { advice } : {}) });
  };
  if (feedbackName in inputs) {
    throw new QStreamError("INPUT_UNKNOWN", `iterate("${id}") is given an input "${feedbackName}"`, {
      step: id,
      advice: "That is the name of what the operator feeds back itself: call it otherwise",
    });
  }
  if (feeds && typeof options.feedback !== "function" && !isPartition(options.feedback)) {
    refuse(
      `has feedback: ${shown(options.feedback)}`,
      `${partitionAdvice}; or a function that puts others on what is fed back first`,
    );
  }
  if (Object.keys(inputs).length === 0) refuse("has no inputs", "Give it a stream to begin with");
  if (rounds !== undefined && rounds !== false && !isWhole(rounds)) {
    refuse(`asks for ${shown(rounds)} rounds`, "Rounds are a whole number from 1 on, or false for a loop without them");
  }
  if (roundsMax !== undefined && !isWhole(roundsMax)) {
    refuse(`has roundsMax: ${shown(roundsMax)}`, "Give it a whole number from 1 on");
  }
  if (until !== undefined && typeof until !== "function") refuse("has an until that is no function");
  if (rounds === false) {
    const odd = until === undefined ? (roundsMax === undefined ? undefined : "roundsMax") : "until";
    if (odd !== undefined) refuse(`has ${odd} and no rounds`, "A loop without rounds ends once nothing is fed back");
    return { mode: "asynchronous", feeds, roundsMax: Infinity };
  }
  const most = roundsMax ?? Math.max(roundsMaxDefault, rounds ?? 0);
  return { mode: "rounds", feeds, rounds, roundsMax: most, until };
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** What ends a loop, in words. */
export function endsOf({ mode, rounds, until, feeds }: LoopPlan): string {
  if (mode === "asynchronous") return feeds ? "without rounds, until nothing is fed back" : "without rounds";
  const counted = rounds === undefined ? [] : [`${rounds} round${rounds === 1 ? "" : "s"}`];
  const ends = until === undefined ? counted : [...counted, "until a condition holds"];
  if (ends.length > 0) return ends.join(", or ");
  return feeds ? "rounds until nothing is fed back" : "1 round";
}
