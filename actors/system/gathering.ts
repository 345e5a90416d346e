import { isSettling, type ReplyTo, type SettlingReply } from "./envelope.ts";

/** The answers of several actors to one question: a list in the order of the actors, or the first refusal. */
export class Gathering {
  readonly #reply: ReplyTo;
  readonly #answers: unknown[];
  readonly #parts: Part[] = [];
  #missing: number;
  #isRefused = false;

  constructor(reply: ReplyTo, count: number) {
    this.#reply = reply;
    this.#answers = Array.from({ length: count });
    this.#missing = count;
    if (isSettling(reply)) reply.settled = () => this.#settled();
    if (count === 0) reply.answer([]);
  }

  /** Who is told of the answer of one of them. */
  part(index: number): ReplyTo {
    const part = new Part(this, index);
    this.#parts.push(part);
    return part;
  }

  /** True once the asker has given up. What one refuses, the others handle nevertheless. */
  get isGivenUp(): boolean {
    return this.#reply.isOver && !this.#isRefused;
  }

  answer(index: number, value: unknown): void {
    this.#answers[index] = value;
    if (--this.#missing === 0) this.#reply.answer(this.#answers);
  }

  refuse(error: Error): void {
    // Of what the asker has given up, nothing is a refusal any more.
    if (!this.#reply.isOver) this.#isRefused = true;
    this.#reply.refuse(error);
  }

  /** The question is over: those that are elsewhere needn't handle what its asker has given up. */
  #settled(): void {
    if (this.isGivenUp) for (const part of this.#parts) part.settled?.();
  }
}

/** The answer of one of them. */
class Part implements SettlingReply {
  settled: (() => void) | undefined = undefined;
  readonly #gathering: Gathering;
  readonly #index: number;
  #isAnswered = false;

  constructor(gathering: Gathering, index: number) {
    this.#gathering = gathering;
    this.#index = index;
  }

  get isOver(): boolean {
    return this.#isAnswered || this.#gathering.isGivenUp;
  }

  answer(value: unknown): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#gathering.answer(this.#index, value);
  }

  refuse(error: Error): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#gathering.refuse(error);
  }
}
