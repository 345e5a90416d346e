import { defaultAskMs } from "../../lib/core/contracts/actor-options.ts";
import type { AskOptions, Deferred } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ReplyTo } from "./envelope.ts";

/** An answer that a handler promised. */
export class DeferredReply<T> implements Deferred<T> {
  readonly #reply: ReplyTo | undefined;

  constructor(reply: ReplyTo | undefined) {
    this.#reply = reply;
  }

  send(value: T): void {
    this.#reply?.answer(value);
  }

  fail(error: Error): void {
    this.#reply?.refuse(error);
  }
}

/** A question that waits for its answer. */
export class Question implements ReplyTo {
  readonly deadline: number;
  readonly what: string;
  isOver = false;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: Error) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #abort: (() => void) | undefined;
  /** Told when it is over: who keeps it forgets it. */
  settled: (() => void) | undefined = undefined;

  constructor(
    what: string,
    deadline: number,
    signal: AbortSignal | undefined,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ) {
    this.what = what;
    this.deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    if (signal === undefined) return;
    this.#abort = () => {
      this.refuse(new QStreamError("ABORTED", `${what} was given up`, { cause: signal.reason }));
    };
    signal.addEventListener("abort", this.#abort, { once: true });
    if (signal.aborted) this.#abort();
  }

  answer(value: unknown): void {
    if (!this.#end()) return;
    this.#resolve(value);
  }

  refuse(error: Error): void {
    if (!this.#end()) return;
    this.#reject(error);
  }

  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
    this.settled?.();
    return true;
  }
}

/** Questions of one slot that wait, by how long they may: those of one timeout end in the order in which they were asked. */
export class Asks {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Question[]>();
  #cancelSweep: (() => void) | undefined;
  #sweepsAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(what: string, options: AskOptions | undefined, begin: (question: Question) => void): Promise<unknown> {
    const timeoutMs = options?.timeoutMs ?? defaultAskMs;
    return new Promise((resolve, reject) => {
      const question = new Question(what, this.#clock.monotonic() + timeoutMs, options?.signal, resolve, reject);
      if (question.isOver) return;
      this.#enqueue(question, timeoutMs);
      try {
        begin(question);
      } catch (error) {
        question.refuse(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  close(error: Error): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const queue of this.#queues.values()) for (const question of queue) question.refuse(error);
    this.#queues.clear();
  }

  #enqueue(question: Question, timeoutMs: number): void {
    if (timeoutMs === Infinity) return;
    let queue = this.#queues.get(timeoutMs);
    if (queue === undefined) this.#queues.set(timeoutMs, (queue = []));
    // What is over goes before the queue grows again: it is never longer than twice what waits.
    if (queue.length >= 64 && (queue.length & (queue.length - 1)) === 0) {
      const open = queue.filter(({ isOver }) => !isOver);
      queue.length = 0;
      queue.push(...open);
    }
    queue.push(question);
    if (question.deadline < this.#sweepsAt) this.#sweepAt(question.deadline);
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
    for (const [timeoutMs, queue] of this.#queues) {
      let over = 0;
      for (const question of queue) {
        if (!question.isOver && question.deadline > now) break;
        over++;
        if (!question.isOver) question.refuse(timedOut(question, timeoutMs));
      }
      queue.splice(0, over);
      const first = queue[0];
      if (first === undefined) this.#queues.delete(timeoutMs);
      else next = Math.min(next, first.deadline);
    }
    if (next < Infinity) this.#sweepAt(next);
  }
}

function timedOut({ what }: Question, timeoutMs: number): QStreamError {
  return new QStreamError("ASK_TIMEOUT", `${what} had no answer within ${timeoutMs} ms`, {
    advice: "It may be busy, gone, or behind a machine that is: ask again, or with a longer `timeoutMs`",
  });
}
