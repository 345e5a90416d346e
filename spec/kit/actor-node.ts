import { setImmediate as turn } from "node:timers/promises";
import { ActorNode } from "../../actors/system/node.ts";
import type { ActorEvent, NodeParts } from "../../actors/system/node-parts.ts";
import { definedActor } from "../../lib/core/actor-definition.ts";
import type {
  ActorDefinition,
  ActorReference,
  AnyReference,
  EntityDefinition,
  SpawnOptions,
  SpawnRest,
} from "../../lib/core/contracts/actor.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";

interface Due {
  readonly atMs: number;
  readonly number: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class StandingClock implements Clock {
  #nowMs = 0;
  #count = 0;
  #due: Due[] = [];

  now(): number {
    return 1_000_000 + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const due = { atMs: this.#nowMs + delayMs, number: this.#count++, callback };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((each) => each !== due);
    };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** Goes on to the next callback that is due by then, and calls it. False if there is none. */
  next(untilMs: number): boolean {
    const next = this.#due
      .filter(({ atMs }) => atMs <= untilMs)
      .toSorted((a, b) => a.atMs - b.atMs || a.number - b.number)[0];
    if (next === undefined) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#due = this.#due.filter((each) => each !== next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback();
    return true;
  }
}

/** The actors of one slot, on a clock that stands still and with turns that are taken by hand. */
export class NodeUnderTest {
  readonly clock = new StandingClock();
  readonly events: ActorEvent[] = [];
  readonly node: ActorNode;

  constructor(parts: Partial<NodeParts> = {}) {
    const event = (told: ActorEvent): void => void this.events.push(told);
    this.node = new ActorNode({ life: 1, clock: this.clock, seed: 1, schedule: () => {}, event, ...parts });
  }

  get deadLetters(): string[] {
    return this.events.flatMap((event) => (event.kind === "dead-letter" ? [`${event.message} ${event.why}`] : []));
  }

  /** What was done for each failure. */
  get actions(): string[] {
    return this.events.flatMap((event) => (event.kind === "actor-failed" ? [event.action] : []));
  }

  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P> {
    const [args, options] = rest as [unknown, SpawnOptions?];
    return this.node.spawn(definedActor(definition), args, options) as ActorReference<P>;
  }

  entity<P>(definition: EntityDefinition<P>, key: string): ActorReference<P> {
    return this.node.entity(definedActor(definition), key) as ActorReference<P>;
  }

  stop(actor: AnyReference): void {
    this.node.stop(actor);
  }

  /** Takes turns until nobody can do anything, with all that promises do meanwhile. */
  async settle(): Promise<void> {
    do {
      this.node.takeTurns();
      await turn();
    } while (this.node.isBusy);
  }

  /** Lets so many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.monotonic() + ms;
    await this.settle();
    while (this.clock.next(untilMs)) await this.settle();
  }

  /** What an ask is answered with, once all is settled. */
  async answer<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    await this.settle();
    return answer;
  }
}
