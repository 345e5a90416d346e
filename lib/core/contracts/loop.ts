import { runningOnEdge } from "../edge-call.ts";
import { QStreamError } from "../errors.ts";
import type { Context } from "./context.ts";
import type { Outputs, Task } from "./operator.ts";
import { Side } from "./reader.ts";

/** Name of the input that a loop's operator gets by its feedback edge, and of the port that the edge leaves by. */
export const feedbackName = "feedback";

/** An object that an operator feeds back, instead of handing it downstream: made by `feedback`. */
export class Feedback<out T> extends Side<T> {
  /** Never present: tells the type from that of an object with a name. */
  declare protected readonly isFeedback: true;

  constructor(object: T) {
    super(feedbackName, object);
  }
}

/**
 * Marks an object for the feedback edge of a loop: it comes back as input `feedback`. What an operator gives unmarked goes
 * downstream.
 *
 * @param object - an object or a columnar batch
 * @throws QStreamError UNSUPPORTED in a function on an edge (`map`, `flatMap` and the like), which has no loop
 * @example
 * *round() { for (const [vertex, label] of this.#changed) yield feedback({ to: vertex, label }); }
 */
export function feedback<T>(object: T): Feedback<T> {
  const step = runningOnEdge();
  if (step === undefined) return new Feedback(object);
  throw new QStreamError("UNSUPPORTED", `feedback() was called in ${step.kind} "${step.id}"`, {
    advice:
      "Only the operator of a loop feeds back: call it there, in what iterate is given, or give the object without feedback()",
  });
}

/** What all channels of a loop together did in a round, the same for each of them. */
export interface RoundEnd<out Vote> {
  /** Number of the round. */
  readonly round: number;
  /** Objects (rows of batches) that went over the feedback edge in it, of all channels; a copy to each channel counts for each. */
  readonly fed: number;
  /** The votes of all channels, merged in their order; undefined where the operator has no `vote`. */
  readonly vote: Vote | undefined;
}

/** A round as it ends in a channel. */
export interface Round<out Vote> {
  /** 0 for the round that takes the inputs; from 1 on for those that take what was fed back. */
  readonly number: number;
  /** The round before it, at whose end all channels met; undefined in round 0. */
  readonly before: RoundEnd<Vote> | undefined;
}

/** The end of a loop in a channel, when nothing is fed back any more. */
export interface LastRound<out Vote> extends Round<Vote> {
  /** One more than that of the round before. In a loop without rounds it differs from run to run. */
  readonly number: number;
  /** The round that was the last, as all channels ended it. */
  readonly before: RoundEnd<Vote>;
}

/** The contract of a loop's operator over the tasks that it takes; write `LoopOperator<Inputs, Out, Fed>` instead. */
// oxlint-disable-next-line typescript/no-explicit-any -- as with operators: `unknown` would refuse every class
export interface LoopTaskOperator<in Work, out Out, out Fed, in out Vote = any, in out State = any> {
  /** Called once before the first task. */
  open?: (ctx: Context) => void | Promise<void>;
  /**
   * Called for each task: some objects of one of the inputs, or of `feedback`. What it gives goes downstream, and back what it marks
   * by `feedback()`. In a loop with rounds only `round` feeds back.
   */
  execute: (task: Work, ctx: Context) => Outputs<Out | Feedback<Fed>>;
  /** Called once when this input has ended; never for `feedback`. */
  inputDone?: (input: string, ctx: Context) => Outputs<Out | Feedback<Fed>>;
  /**
   * Called in each channel at the end of each round but the last: in round 0 once all inputs have ended, later once all that was
   * fed back in the round before has been taken. What it feeds back is the input of the next round.
   */
  round?: (round: Round<Vote>, ctx: Context) => Outputs<Out | Feedback<Fed>>;
  /** Called behind `round`: what this channel says for all channels to know: structured-cloneable data. Needs `merge`. */
  vote?: () => Vote;
  /** Makes one vote of two. Called in the order of the channels, so that all of them get the same. */
  merge?: (left: Vote, right: Vote) => Vote;
  /**
   * Called once at the end of the loop, in a loop with rounds in place of the last `round`: with what all channels said when they
   * ended the round before.
   */
  done?: (round: LastRound<Vote>, ctx: Context) => Outputs<Out>;
  /** As with any operator. A loop without it starts again from its beginning after a loss. */
  snapshot?: () => State | Promise<State>;
  /** Takes a state that `snapshot` gave, before the first task. */
  restore?: (state: State) => void;
  /** Called once when the channel ends, also after a failure. */
  close?: () => void | Promise<void>;
}

/**
 * The operator of a loop. `Inputs` maps each input's name to its object type; what it feeds back comes as input `feedback`.
 * State stays in the channels between rounds.
 *
 * @example
 * class Halving implements LoopOperator<{ start: number; feedback: number }, number, number> {
 *   #here: number[] = [];
 *   execute({ objects }: Task<{ start: number; feedback: number }>) { this.#here.push(...objects); }
 *   *round() { for (const n of this.#here.splice(0)) if (n > 1) yield feedback(n >> 1); else yield n; }
 * }
 */
// oxlint-disable-next-line typescript/no-explicit-any -- as with operators
export type LoopOperator<Inputs, Out, Fed, Vote = any, State = any> = LoopTaskOperator<
  Task<Inputs>,
  Out,
  Fed,
  Vote,
  State
>;

/** When a loop ends, and how it takes what is fed back. */
export interface LoopPlan {
  /** `rounds`: each round takes what the one before fed back; `asynchronous`: what is fed back is taken as it comes. */
  readonly mode: "rounds" | "asynchronous";
  /** False where the flow gives no way for what is fed back: then the operator may feed back nothing. */
  readonly feeds: boolean;
  /** How often what is fed back returns; undefined where something else ends the loop. */
  readonly rounds?: number | undefined;
  /** The loop fails when it has more rounds. */
  readonly roundsMax: number;
  /** Asked at the end of each round; true if the next one is the last. */
  readonly until?: ((end: RoundEnd<never>) => boolean) | undefined;
}
