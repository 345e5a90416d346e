import { QStreamError } from "../../lib/core/errors.ts";
import type { Cell } from "./cell.ts";
import type { ReplyTo } from "./envelope.ts";

const leastSweep = 64;

/** Answers that an actor has promised and not given yet, each with the name of its message. */
export class PromisedAnswers {
  readonly #names = new Map<ReplyTo, string>();
  /** From so many on, those are forgotten that nobody waits for any more: a question may time out, or be given up. */
  #sweepAt = leastSweep;

  /** True while somebody waits for one. */
  get isOpen(): boolean {
    this.#sweep();
    return this.#names.size > 0;
  }

  get size(): number {
    return this.#names.size;
  }

  add(reply: ReplyTo, name: string): void {
    if (this.#names.size >= this.#sweepAt) {
      this.#sweep();
      this.#sweepAt = Math.max(leastSweep, 2 * this.#names.size);
    }
    this.#names.set(reply, name);
  }

  given(reply: ReplyTo): void {
    this.#names.delete(reply);
  }

  /** Nobody is left who could give them. */
  refuseAll(errorFor: (name: string) => Error): void {
    const names = [...this.#names];
    this.#names.clear();
    for (const [reply, name] of names) if (!reply.isOver) reply.refuse(errorFor(name));
  }

  #sweep(): void {
    for (const reply of this.#names.keys()) if (reply.isOver) this.#names.delete(reply);
  }
}

/** The state is gone with which an actor kept whom it has promised an answer: they are told. */
export function refusePromised({ extras, label }: Cell, isStopping: boolean): void {
  const promised = extras?.promised;
  if (promised === undefined) return;
  const error = isStopping ? extras?.error : extras?.restartedFor;
  const why = error === undefined ? "" : `: ${error.message}`;
  promised.refuseAll((name) => {
    const what = `${label} ${isStopping ? "ended" : "was restarted"} before it answered "${name}"${why}`;
    return new QStreamError("ACTOR_STOPPED", what, {
      advice: "Answer what is promised in `stopped`, or ask again",
      cause: error,
    });
  });
}
