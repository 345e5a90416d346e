import { errorFromData, errorToData, QStreamError, type ErrorData } from "../../../lib/core/errors.ts";
import { isSettling, type ReplyTo, type SettlingReply } from "../envelope.ts";

interface Pending {
  readonly reply: ReplyTo;
  life: number;
  readonly to: { readonly label: string };
}

/** What answers and refusals need of the node. */
export interface AnswerLane {
  answer: (life: number, name: string, ask: number, value: unknown) => void;
  refuse: (life: number, name: string, ask: number, error: ErrorData) => void;
  /** Nobody waits for an answer any more. */
  cancel: (life: number, ask: number) => void;
}

/** A question from another node, to which the answer goes. */
class DistantReply implements SettlingReply {
  isOver = false;
  settled: (() => void) | undefined = undefined;
  readonly life: number;
  readonly ask: number;
  readonly #name: string;
  readonly #lane: AnswerLane;
  /** Those of its node that wait, of which it is one until it is over. */
  readonly #served: Map<number, DistantReply>;

  constructor(lane: AnswerLane, served: Map<number, DistantReply>, life: number, name: string, ask: number) {
    this.#lane = lane;
    this.#served = served;
    this.life = life;
    this.ask = ask;
    this.#name = name;
    served.set(ask, this);
  }

  answer(value: unknown): void {
    if (this.end()) this.#lane.answer(this.life, this.#name, this.ask, value);
  }

  refuse(error: Error): void {
    if (this.end()) this.#lane.refuse(this.life, this.#name, this.ask, errorToData(error));
  }

  /** Nobody waits any more. */
  end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#served.delete(this.ask);
    this.settled?.();
    return true;
  }
}

/** Questions between nodes: those that were asked here by their numbers, and those of others that wait for an answer. */
export class DistantAsks {
  readonly #lane: AnswerLane;
  readonly #pending = new Map<number, Pending>();
  readonly #served = new Map<number, Map<number, DistantReply>>();
  #count = 0;

  constructor(lane: AnswerLane) {
    this.#lane = lane;
  }

  /** Numbers a question that goes to another node. */
  open(reply: ReplyTo, life: number, to: { readonly label: string }): number {
    const ask = ++this.#count;
    const pending: Pending = { reply, life, to };
    this.#pending.set(ask, pending);
    if (isSettling(reply)) {
      // It timed out, or was given up: what nobody has handled yet needn't be.
      reply.settled = () => {
        if (this.#pending.delete(ask)) this.#lane.cancel(pending.life, ask);
      };
    }
    return ask;
  }

  replyOf(ask: number): ReplyTo | undefined {
    return this.#pending.get(ask)?.reply;
  }

  /** A question waits for another node than before. False if nobody waits for its answer any more. */
  goesTo(ask: number, life: number): boolean {
    const pending = this.#pending.get(ask);
    if (pending !== undefined) pending.life = life;
    return pending !== undefined;
  }

  moved(from: number, to: number): void {
    for (const pending of this.#pending.values()) if (pending.life === from) pending.life = to;
  }

  answered(ask: number, value: unknown): void {
    this.#take(ask)?.answer(value);
  }

  refused(ask: number, error: unknown): void {
    this.#take(ask)?.refuse(error instanceof Error ? error : errorFromData(error as ErrorData));
  }

  /** A question of another node came. */
  serve(life: number, name: string, ask: number): ReplyTo {
    let served = this.#served.get(life);
    if (served === undefined) this.#served.set(life, (served = new Map()));
    return new DistantReply(this.#lane, served, life, name, ask);
  }

  cancelled(life: number, ask: number): void {
    this.#served.get(life)?.get(ask)?.end();
  }

  /** A node is lost: nobody there answers or waits any more. */
  lost(life: number): void {
    const served = this.#served.get(life);
    this.#served.delete(life);
    for (const reply of served?.values() ?? []) reply.end();
    for (const [ask, pending] of this.#pending) {
      if (pending.life === life) this.#take(ask)?.refuse(lostError(pending.to.label));
    }
  }

  close(error: Error): void {
    for (const ask of this.#pending.keys()) this.#take(ask)?.refuse(error);
  }

  #take(ask: number): ReplyTo | undefined {
    const pending = this.#pending.get(ask);
    if (pending === undefined) return undefined;
    this.#pending.delete(ask);
    return pending.reply;
  }
}

export function lostError(label: string): QStreamError {
  return new QStreamError("ACTOR_STOPPED", `${label} was lost with its slot or machine before it answered`, {
    advice: "Whether it had handled the message isn't known. Ask again: an entity goes on elsewhere",
  });
}
