import { defaultAskMs } from "../../lib/core/contracts/actor-options.ts";
import type { AskOptions, Deferred } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ReplyTo } from "./envelope.ts";
import type { PromisedAnswers } from "./promised-answers.ts";

/** An answer that a handler promised. */
export class DeferredReply<T> implements Deferred<T> {
  readonly #reply: ReplyTo | undefined;
  /** Those of its actor, of which it is one until it is given. */
  readonly #promised: PromisedAnswers | undefined;

  constructor(reply: ReplyTo | undefined, promised?: PromisedAnswers) {
    this.#reply = reply;
    this.#promised = promised;
  }

  send(value: T): void {
    this.#given();
    this.#reply?.answer(value);
  }

  fail(error: Error): void {
    this.#given();
    this.#reply?.refuse(error);
  }

  #given(): void {
    if (this.#reply !== undefined) this.#promised?.given(this.#reply);
  }
}

/** A question that waits for its answer. */
export class Question implements ReplyTo {
  readonly name: string;
  readonly to: { readonly label: string };
  readonly deadline: number;
  readonly answered: Promise<unknown>;
  isOver = false;
  // The promise's executor runs at once, and sets both.
  #resolve!: (value: unknown) => void;
  #reject!: (error: Error) => void;
  readonly #signal: AbortSignal | undefined;
  #abort: (() => void) | undefined = undefined;
  /** Told when it is over: who keeps it forgets it. */
  settled: (() => void) | undefined = undefined;
  /** The list that it waits in. */
  list: QuestionList | undefined = undefined;
  next: Question | undefined = undefined;
  previous: Question | undefined = undefined;

  constructor(name: string, to: { readonly label: string }, deadline: number, signal: AbortSignal | undefined) {
    this.name = name;
    this.to = to;
    this.deadline = deadline;
    this.#signal = signal;
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal !== undefined) this.#heed(signal);
  }

  get label(): string {
    return `"${this.name}" of ${this.to.label}`;
  }

  answer(value: unknown): void {
    if (!this.#end()) return;
    this.#resolve(value);
  }

  refuse(error: Error): void {
    if (!this.#end()) return;
    this.#reject(error);
  }

  #heed(signal: AbortSignal): void {
    this.#abort = () => {
      this.refuse(givenUp(this.label, signal));
    };
    signal.addEventListener("abort", this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
    this.list?.remove(this);
    this.settled?.();
    return true;
  }
}

/** Questions that wait, in the order in which they were asked: linked, so that one that is over leaves nothing behind. */
class QuestionList {
  first: Question | undefined = undefined;
  #last: Question | undefined = undefined;

  append(question: Question): void {
    question.list = this;
    question.previous = this.#last;
    if (this.#last === undefined) this.first = question;
    else this.#last.next = question;
    this.#last = question;
  }

  remove(question: Question): void {
    const { previous, next } = question;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    question.list = undefined;
    question.previous = undefined;
    question.next = undefined;
  }
}

/** Questions of one slot that wait, by how long they may: those of one timeout end in the order in which they were asked. */
export class Asks {
  readonly #clock: Clock;
  readonly #lists = new Map<number, QuestionList>();
  #cancelSweep: (() => void) | undefined;
  #sweepsAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(name: string, to: { readonly label: string }, options: AskOptions | undefined): Question {
    const timeoutMs = options?.timeoutMs ?? defaultAskMs;
    const question = new Question(name, to, this.#clock.monotonic() + timeoutMs, options?.signal);
    if (question.isOver) return question;
    let list = this.#lists.get(timeoutMs);
    if (list === undefined) this.#lists.set(timeoutMs, (list = new QuestionList()));
    list.append(question);
    if (question.deadline < this.#sweepsAt) this.#sweepAt(question.deadline);
    return question;
  }

  close(error: Error): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const list of this.#lists.values()) {
      for (let question = list.first; question !== undefined; question = list.first) question.refuse(error);
    }
    this.#lists.clear();
  }

  #sweepAt(deadline: number): void {
    this.#cancelSweep?.();
    this.#sweepsAt = deadline;
    this.#cancelSweep = this.#clock.after(Math.max(0, deadline - this.#clock.monotonic()), () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    this.#sweepsAt = Infinity;
    const now = this.#clock.monotonic();
    let next = Infinity;
    for (const [timeoutMs, list] of this.#lists) {
      let { first } = list;
      for (; first !== undefined && first.deadline <= now; first = list.first)
        first.refuse(timedOut(first.label, timeoutMs));
      if (first === undefined) this.#lists.delete(timeoutMs);
      else next = Math.min(next, first.deadline);
    }
    if (next < this.#sweepsAt) this.#sweepAt(next);
  }
}

/** What a question is refused with that had no answer in time. */
export function timedOut(label: string, timeoutMs: number): QStreamError {
  return new QStreamError("ASK_TIMEOUT", `${label} had no answer within ${timeoutMs} ms`, {
    advice: "It may be busy, gone, or behind a machine that is: ask again, or with a longer `timeoutMs`",
  });
}

/** What a question is refused with that whoever asked gave up. */
export function givenUp(label: string, { reason }: AbortSignal): QStreamError {
  return new QStreamError("ABORTED", `${label} was given up`, { cause: reason });
}
