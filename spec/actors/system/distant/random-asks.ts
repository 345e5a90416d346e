import { QStreamError } from "../../../../lib/core/errors.ts";
import type { Address, Oracle } from "./random-oracle.ts";
import { violated } from "./random-oracle.ts";

/** A question as the oracle knows it. */
interface Asked {
  readonly number: number;
  readonly life: number;
  readonly to: Address | undefined;
  readonly atMs: number;
  readonly timeoutMs: number;
  readonly isToMany: boolean;
  outcome: string | undefined;
  overMs: number;
  /** It went from actor to actor. */
  isHandedOn: boolean;
  readonly handled: Set<string>;
}

interface World {
  readonly nowMs: () => number;
  readonly isLost: (life: number) => boolean;
  /** When a node took over, of which nobody had heard before. */
  readonly bornMs: (life: number) => number;
}

const refusals = new Set(["ACTOR_STOPPED", "MAILBOX_FULL", "CANNOT_TRAVEL", "ABORTED", "ACTOR_FAILED", "ASK_TIMEOUT"]);
const reasons = /boom|refused|gone/u;

/** What was asked, and how each question was settled. */
export class AskOracle {
  readonly #world: World;
  readonly #oracle: Oracle;
  readonly #asked = new Map<number, Asked>();
  readonly outcomes = new Map<string, number>();

  constructor(world: World, oracle: Oracle) {
    this.#world = world;
    this.#oracle = oracle;
  }

  /** Asks a question, whose answer is its number. */
  ask(
    life: number,
    to: Address | undefined,
    { timeoutMs, isToMany = false }: { readonly timeoutMs: number; readonly isToMany?: boolean },
    ask: (number: number) => Promise<unknown>,
  ): Promise<unknown> {
    const number = this.#asked.size + 1;
    const asked: Asked = {
      number,
      life,
      to,
      atMs: this.#world.nowMs(),
      timeoutMs,
      isToMany,
      outcome: undefined,
      overMs: Infinity,
      isHandedOn: false,
      handled: new Set(),
    };
    this.#asked.set(number, asked);
    return ask(number).then(
      (value) => this.#settled(asked, "answer", value),
      (error: unknown) => this.#settled(asked, error instanceof QStreamError ? error.code : String(error), error),
    );
  }

  handedOn(number: number): void {
    const asked = this.#asked.get(number);
    if (asked !== undefined) asked.isHandedOn = true;
  }

  /** An actor is given a question. */
  handled(number: number, by: string, life: number): void {
    const asked = this.#asked.get(number);
    const { wrong } = this.#oracle;
    if (asked === undefined) return void wrong.push(`nobody has asked question ${number}`);
    if (asked.handled.has(by) || (asked.handled.size > 0 && !asked.isToMany)) {
      wrong.push(`question ${number} is handled by ${[...asked.handled, by].join(" and ")}`);
    }
    asked.handled.add(by);
    // Whoever hands a question on hears later that it was given up.
    if (asked.overMs < this.#world.bornMs(life) && !asked.isHandedOn && !asked.isToMany) {
      wrong.push(
        `question ${number} was over (${asked.outcome}) before anybody knew of node ${life}, which handles it`,
      );
    }
  }

  #settled(asked: Asked, outcome: string, value: unknown): void {
    const { wrong } = this.#oracle;
    const { number, life, timeoutMs, atMs, handled } = asked;
    const what = `question ${number} of node ${life} (${outcome})`;
    if (this.#world.isLost(life)) return;
    if (asked.outcome !== undefined) wrong.push(`${what} is settled twice`);
    asked.outcome = outcome;
    asked.overMs = this.#world.nowMs();
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (outcome === "answer") this.#answered(asked, value);
    else if (!refusals.has(outcome) && !reasons.test(outcome)) wrong.push(`${what}: ${String(value)}`);
    if (outcome === "ASK_TIMEOUT" && asked.overMs !== atMs + timeoutMs) {
      wrong.push(`${what} had ${timeoutMs} ms, and was given up after ${asked.overMs - atMs}`);
    }
    if (outcome === "ACTOR_STOPPED" && handled.size === 0) this.#stopped(asked);
  }

  #answered({ number, handled, isToMany }: Asked, value: unknown): void {
    const { wrong } = this.#oracle;
    if (handled.size === 0) wrong.push(`question ${number} is answered, and nobody has handled it`);
    const values = isToMany ? (value as unknown[]) : [value];
    for (const each of values) {
      // What can't travel is an answer where it needn't.
      if (each !== number && typeof each !== "function")
        wrong.push(`question ${number} is answered by ${String(each)}`);
    }
  }

  /** Nobody says that an actor isn't there which is. */
  #stopped({ number, to, isHandedOn, isToMany }: Asked): void {
    if (to === undefined || to.key !== undefined || isHandedOn || isToMany) return;
    const cell = this.#oracle.cellOf(to.who);
    if (cell !== undefined && this.#oracle.isAlive(cell)) {
      this.#oracle.wrong.push(`question ${number} is refused as ${to.who} has stopped, which it hasn't`);
    }
  }

  /** True while somebody waits for an answer. */
  get isWaiting(): boolean {
    for (const { outcome, life } of this.#asked.values()) {
      if (outcome === undefined && !this.#world.isLost(life)) return true;
    }
    return false;
  }

  check(): void {
    for (const { number, life, to, outcome, timeoutMs, isToMany } of this.#asked.values()) {
      if (outcome !== undefined || this.#world.isLost(life)) continue;
      const whom = isToMany ? "several" : (to?.who ?? "a home");
      violated(`question ${number} of node ${life} to ${whom} is never settled (it had ${timeoutMs} ms)`);
    }
  }
}
