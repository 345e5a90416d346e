import type { LastRound, LoopPlan, Round, RoundEnd } from "../../lib/core/contracts/loop.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import type { Inputs, Taken } from "./inputs.ts";
import { markFlags, type MarkData } from "./mark.ts";

/** Where a channel is in its loop, as data. */
export interface LoopState {
  readonly phase: Phase;
  readonly number: number;
  /** Above 0 where a life that goes on saves behind its replay: it has run more tasks since the mark. */
  readonly fed: number;
  readonly marks: readonly (MarkData | undefined)[];
  readonly early: readonly (MarkData | undefined)[];
  readonly met: Met | undefined;
}

/**
 * `inputs`: a loop with rounds takes its inputs. `open`: it takes what was fed back, and marks of the round before. `turn`: it has
 * all marks of the round before: in a loop with rounds that is the end of its own round, others go on taking. `mark`: its round has
 * ended, and its mark comes next. `over`: the loop has ended.
 */
type Phase = "inputs" | "open" | "turn" | "mark" | "over";

/** What all channels know once they have the marks of all. */
interface Met {
  readonly end: RoundEnd<unknown>;
  /** True if nothing is fed back any more. */
  readonly isOver: boolean;
  /** True if all channels save their states now. */
  readonly saves: boolean;
}

/** What a task of a loop's channel may be about beside its inputs: its round has ended, or all that was fed back in it is out. */
export type Turned =
  | { readonly kind: "round"; readonly number: number }
  | { readonly kind: "mark"; readonly number: number; readonly flags: number };

/** What the operator of a loop says of votes. */
export interface Voting {
  readonly vote: (() => unknown) | undefined;
  readonly merge: ((left: unknown, right: unknown) => unknown) | undefined;
}

/**
 * Where a channel is in its loop. Channels need nobody to lead them: each tells all of them by a mark, behind what it has fed
 * back, that a round (or, in a loop without rounds, a generation) is over in it. As all channels get the marks of all, and merge
 * them in the same order, all decide the same: whether the loop is over, and whether they save their states.
 *
 * A loop without rounds is over once no channel has fed anything back between two marks, of which it sent the second after it had
 * all channels' first ones: what any channel had fed back before its first one has been taken by then, as links keep order, and
 * nothing was fed back since.
 */
export class Loop {
  readonly plan: LoopPlan;
  readonly channels: number;
  /** Index of the feedback edge in the plan. */
  readonly edge: number;
  readonly #voting: Voting;
  #phase: Phase;
  /** The round or generation that the next mark ends. */
  #number = 0;
  /** Objects that this channel has fed back in it. */
  #fed = 0;
  /** Marks of the one before, by channel. */
  #marks: (MarkData | undefined)[];
  /** Marks of this one, from channels that are ahead: in a loop without rounds. */
  #early: (MarkData | undefined)[];
  #met: Met | undefined;
  #saved = true;
  #refused = false;
  /** What the channel said in its last mark. */
  #told = 0;

  constructor(plan: LoopPlan, channels: number, edge: number, voting: Voting) {
    this.plan = plan;
    this.channels = channels;
    this.edge = edge;
    this.#voting = voting;
    this.#phase = plan.mode === "rounds" ? "inputs" : "turn";
    this.#marks = this.#none();
    this.#early = this.#none();
  }

  get number(): number {
    return this.#number;
  }

  /** The round that progress shows: none in a loop without rounds, whose generations say nothing of how far it is. */
  get roundShown(): number {
    return this.isByRound ? this.#number : 0;
  }

  get isByRound(): boolean {
    return this.plan.mode === "rounds";
  }

  /** What the operator is told at the end of a round. */
  get round(): Round<unknown> {
    return { number: this.#number, before: this.#met?.end };
  }

  /** What it is told at the end of the loop. */
  get last(): LastRound<unknown> {
    const { number, before } = this.round;
    invariant(before !== undefined, "a loop ended before its channels met");
    return { number, before };
  }

  /**
   * What runs now feeds back something.
   *
   * @throws QStreamError UNSUPPORTED if nothing may be fed back, or nothing more, or only `round` may, and isn't what runs
   */
  checkFeedsBack(): void {
    if (!this.plan.feeds) {
      throw new QStreamError("UNSUPPORTED", "the operator fed back an object, and the loop has no way for it", {
        advice: "Say to which channels objects return, in the options of iterate: feedback: hash(...)",
      });
    }
    if (this.#phase === "over") {
      throw new QStreamError("UNSUPPORTED", "done fed back an object, and the loop is over", {
        advice: "Give it without feedback(), and it goes downstream; what is to come back is fed back before",
      });
    }
    if (!this.isByRound || this.#phase === "mark") return;
    throw new QStreamError("UNSUPPORTED", "execute fed back an object in a loop with rounds", {
      advice:
        "Keep it in the state and feed it back from round(), or ask for rounds: false, where it is taken as it comes",
    });
  }

  /**
   * True while the channel can save its state by itself, as it hasn't fed back anything. Without rounds it may have taken what others
   * did: from where these start again they don't send that a second time.
   */
  get isBeforeFeedback(): boolean {
    return this.#number === 0 && this.#fed === 0 && (this.#phase === "inputs" || this.#phase === "turn");
  }

  /** True if all channels save their states at this place, and this one hasn't. */
  get saves(): boolean {
    return !this.#saved && this.#met?.saves === true && this.#phase === (this.isByRound ? "turn" : "open");
  }

  /** Channels of whose marks that of this round or generation was taken. */
  get marked(): readonly number[] {
    return this.#marks.flatMap((mark, from) => (mark === undefined ? [] : from));
  }

  /** True, once, where some channels wished that states be saved, and others couldn't. */
  takeRefusal(): boolean {
    const refused = this.#refused;
    this.#refused = false;
    return refused;
  }

  /** True once no channel's results are wanted any more: it ends without them, and its inputs are cancelled. */
  get isUnwanted(): boolean {
    return this.#phase === "turn" && this.#marks.every((mark) => hasFlag(mark, markFlags.unwanted));
  }

  saved(): void {
    this.#saved = true;
  }

  /**
   * What the next task is about.
   *
   * @param flags - what the channel wishes, asked for a mark
   */
  next(inputs: Inputs, objectsMax: number, flags: () => number): Taken | Turned | undefined {
    if (this.#phase === "mark") return { kind: "mark", number: this.#number, flags: flags() };
    return this.isByRound ? this.#nextOfRound(inputs, objectsMax) : this.#nextAsItComes(inputs, objectsMax, flags);
  }

  #nextOfRound(inputs: Inputs, objectsMax: number): Taken | Turned | undefined {
    if (this.#phase === "open") {
      const taken = inputs.takeFeedback(objectsMax);
      if (taken === undefined) this.#checkAllGoOn(inputs);
      return taken;
    }
    if (this.#phase === "inputs") {
      const taken = inputs.take(objectsMax, undefined);
      if (taken?.kind !== "done") return taken;
    } else if (this.#met?.isOver === true) return { kind: "done" };
    return { kind: "round", number: this.#number };
  }

  /**
   * All channels get the same marks, so they end the loop together. One that doesn't go on with this one has got another answer.
   *
   * @throws QStreamError NONDETERMINISTIC
   */
  #checkAllGoOn(inputs: Inputs): void {
    const ended = inputs.endedFeedback().find((from) => this.#marks[from] === undefined);
    if (ended !== undefined) throw endedAlone(ended, this.last.before.round);
  }

  #nextAsItComes(inputs: Inputs, objectsMax: number, flags: () => number): Taken | Turned | undefined {
    const mayMark = this.#phase === "turn";
    if (mayMark && this.#met?.isOver === true) return { kind: "done" };
    const wishes = mayMark ? this.#wishes(flags()) : 0;
    const isAsked = this.#met?.saves === true || this.#early.some((mark) => hasFlag(mark, markFlags.urgent));
    if (mayMark && (isAsked || (wishes & markFlags.urgent) !== 0)) {
      return { kind: "mark", number: this.#number, flags: wishes };
    }
    const taken = inputs.takeFeedback(objectsMax) ?? inputs.take(objectsMax, undefined);
    if (taken !== undefined && taken.kind !== "done") return taken;
    // Only a channel that has nothing to do asks whether it is all over: so nobody does while anybody works.
    return mayMark && inputs.ended ? { kind: "mark", number: this.#number, flags: wishes } : undefined;
  }

  /** Who wishes something new waits for the marks of all channels. */
  #wishes(flags: number): number {
    const news = flags & (markFlags.due | (markFlags.unwanted & ~this.#told));
    return news === 0 ? flags : flags | markFlags.urgent;
  }

  /**
   * A round ends in this channel: it feeds back from now on.
   *
   * @throws QStreamError LIMIT_EXCEEDED if the loop has more rounds than it may have
   */
  roundBegan(): void {
    if (this.#number >= this.plan.roundsMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `the loop isn't over after ${this.plan.roundsMax} rounds`, {
        advice: "Raise roundsMax of iterate if it needs more, or see why its end never comes",
      });
    }
    this.#phase = "mark";
  }

  /** The mark of this round or generation. Afterwards the next one begins. */
  mark(flags: number, inputs: Pick<Inputs, "ended">): MarkData {
    const { vote } = this.#voting;
    const mark = {
      number: this.#number,
      fed: this.#fed,
      vote: vote?.(),
      ended: inputs.ended,
      flags,
    };
    this.#told = flags;
    this.#number++;
    this.#fed = 0;
    this.#marks = this.#early;
    this.#early = this.#none();
    this.#phase = "open";
    this.#saved = false;
    return mark;
  }

  /** Objects were sent over the feedback edge. */
  fed(objects: number): void {
    this.#fed += objects;
  }

  /** A channel's mark was taken. */
  took(from: number, mark: MarkData, inputs: Pick<Inputs, "nextRound">): void {
    const early = mark.number === this.#number && !this.isByRound;
    invariant(early || mark.number === this.#number - 1, `mark ${mark.number} came in round ${this.#number}`);
    (early ? this.#early : this.#marks)[from] = mark;
    this.#meet(inputs);
  }

  /** The loop's last task runs. */
  ended(): void {
    this.#phase = "over";
  }

  state(): LoopState {
    const [phase, number, fed, met] = [this.#phase, this.#number, this.#fed, this.#met];
    return { phase, number, fed, marks: [...this.#marks], early: [...this.#early], met };
  }

  restore({ phase, number, fed, marks, early, met }: LoopState): void {
    this.#phase = phase;
    this.#number = number;
    this.#fed = fed;
    this.#marks = [...marks];
    this.#early = [...early];
    this.#met = met;
    this.#saved = true;
  }

  /** All marks may be there: then everybody knows how it goes on. */
  #meet(inputs: Pick<Inputs, "nextRound">): void {
    if (this.#phase !== "open" || this.#marks.some((mark) => mark === undefined)) return;
    const marks = this.#marks as readonly MarkData[];
    const end = {
      round: this.#number - 1,
      fed: marks.reduce((sum, { fed }) => sum + fed, 0),
      vote: this.#merged(marks),
    };
    const isDue = marks.some((mark) => hasFlag(mark, markFlags.due));
    const saves = isDue && !marks.some((mark) => hasFlag(mark, markFlags.busy));
    this.#met = { end, isOver: this.#isOver(end, marks), saves };
    this.#refused = isDue && !saves;
    this.#phase = "turn";
    if (this.isByRound) inputs.nextRound();
  }

  #isOver(end: RoundEnd<unknown>, marks: readonly MarkData[]): boolean {
    if (marks.every((mark) => hasFlag(mark, markFlags.unwanted))) return true;
    if (!this.isByRound) return end.fed === 0 && marks.every(({ ended }) => ended);
    const { rounds, until } = this.plan;
    if (rounds !== undefined && end.round + 1 >= rounds) return true;
    if (until !== undefined) return answered(until(end as RoundEnd<never>));
    return rounds === undefined && end.fed === 0;
  }

  #merged(marks: readonly MarkData[]): unknown {
    const { merge } = this.#voting;
    const votes = marks.map(({ vote }) => vote);
    return merge === undefined ? votes[0] : votes.reduce(merge);
  }

  #none(): undefined[] {
    return new Array<undefined>(this.channels).fill(undefined);
  }
}

/** A promise, which would always be true, isn't waited for: all channels ask at the same place, between two tasks. */
function answered(answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  throw new QStreamError(
    "STEP_FAILED",
    `until of a loop answered with ${answer instanceof Promise ? "a promise" : typeof answer}`,
    {
      advice: "Answer with true or false at once; what takes time belongs into round, which votes on it",
    },
  );
}

/** The error of a channel that goes on without one that doesn't. */
function endedAlone(channel: number, round: number): QStreamError {
  return new QStreamError(
    "NONDETERMINISTIC",
    `until answered true in channel ${channel} at the end of round ${round}, and false in this one`,
    {
      advice:
        "All channels ask it with the same { round, fed, vote }: let it, and the operator's merge, decide by what they are given alone, not by time, randomness or anything from outside",
    },
  );
}

function hasFlag(mark: MarkData | undefined, flag: number): boolean {
  return mark !== undefined && (mark.flags & flag) !== 0;
}
