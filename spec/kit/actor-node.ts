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
  readonly callback: () => void;
}

/** A clock that stands still until it is told to go on. */
export class StandingClock implements Clock {
  #nowMs = 0;
  /** In the order in which they are due. */
  readonly #due: Due[] = [];

  now(): number {
    return 1_000_000 + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const due = { atMs: this.#nowMs + delayMs, callback };
    // Those of one time go in the order in which they were asked for.
    const before = this.#due.findLastIndex(({ atMs }) => atMs <= due.atMs);
    this.#due.splice(before + 1, 0, due);
    return () => {
      const index = this.#due.indexOf(due);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  /** How many callbacks are to come. */
  get size(): number {
    return this.#due.length;
  }

  /** True if a callback is due by now. */
  get isDue(): boolean {
    return (this.#due[0]?.atMs ?? Infinity) <= this.#nowMs;
  }

  /** Goes on to the next callback that is due by then, and calls it. False if there is none. */
  next(untilMs: number): boolean {
    const next = this.#due[0];
    if (next === undefined || next.atMs > untilMs) {
      this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    }
    this.#due.shift();
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback();
    return true;
  }
}

/** Nodes of actors on a clock that stands still: what they can do is done while somebody waits for it. */
export abstract class StandingNodes {
  readonly clock = new StandingClock();

  /** True if somebody has something to do now. */
  protected abstract get isBusy(): boolean;

  protected abstract takeTurns(): void;

  /** Has everything done that can be done, with all that promises do meanwhile. No time passes. */
  async settle(): Promise<void> {
    do {
      this.takeTurns();
      // oxlint-disable-next-line no-await-in-loop -- what was promised is next
      await turn();
    } while (this.isBusy);
  }

  /** Lets so many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.monotonic() + ms;
    await this.settle();
    // oxlint-disable-next-line no-await-in-loop -- in order
    while (this.clock.next(untilMs)) await this.settle();
  }

  /** What an ask is answered with, once all is settled. */
  async answer<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    await this.settle();
    return answer;
  }
}

/** The actors of one slot, on a clock that stands still and with turns that are taken by hand. */
export class NodeUnderTest extends StandingNodes {
  readonly events: ActorEvent[] = [];
  readonly node: ActorNode;

  constructor(parts: Partial<NodeParts> = {}) {
    super();
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

  protected get isBusy(): boolean {
    return this.node.isBusy;
  }

  protected takeTurns(): void {
    this.node.takeTurns();
  }
}
