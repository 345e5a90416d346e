import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import type { AnyReference } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Cell } from "./cell.ts";
import { Envelope } from "./envelope.ts";

/** What is published, and who gets it. */
export interface Topics {
  subscribe: (cell: Cell, topic: string, name: string) => void;
  unsubscribe: (cell: Cell, topic: string) => void;
  publish: (topic: string, payload: unknown, from: Cell | undefined) => void;
  /** An actor has ended. */
  leave: (cell: Cell) => void;
}

/** Topics of one slot: what is published reaches the subscribers of the slot in one order. */
export class LocalTopics implements Topics {
  readonly #subscribers = new Map<string, Map<Cell, string>>();
  readonly #deliver: (cell: Cell, envelope: Envelope, from: Cell | undefined) => void;

  constructor(deliver: (cell: Cell, envelope: Envelope, from: Cell | undefined) => void) {
    this.#deliver = deliver;
  }

  subscribe(cell: Cell, topic: string, name: string): void {
    if (cell.definition.receive[name] === undefined) throw noHandlerFor(cell.label, cell.definition, topic, name);
    let subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) this.#subscribers.set(topic, (subscribers = new Map()));
    subscribers.set(cell, name);
    (cell.more().topics ??= new Map()).set(topic, name);
  }

  unsubscribe(cell: Cell, topic: string): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers?.delete(cell) !== true) return;
    cell.extras?.topics?.delete(topic);
    if (subscribers.size === 0) this.#subscribers.delete(topic);
  }

  publish(topic: string, payload: unknown, from: Cell | undefined): void {
    this.spread(topic, payload, from?.self, from);
  }

  /** Hands what somebody published, perhaps in another slot, to the subscribers of this one. */
  spread(topic: string, payload: unknown, sender: AnyReference | undefined, from: Cell | undefined): void {
    for (const [cell, name] of this.#subscribers.get(topic) ?? []) {
      this.#deliver(cell, new Envelope(name, payload, sender, undefined), from);
    }
  }

  leave(cell: Cell): void {
    for (const topic of cell.extras?.topics?.keys() ?? []) this.unsubscribe(cell, topic);
  }

  has(topic: string): boolean {
    return this.#subscribers.has(topic);
  }
}

/** Who subscribes has to have a handler for what comes of it. */
export function noHandlerFor(label: string, { receive }: DefinedActor, topic: string, name: string): QStreamError {
  const what = `${label} subscribes to "${topic}" as "${name}", for which it has no handler`;
  return new QStreamError("ACTOR_INVALID", what, { advice: `Its handlers are: ${Object.keys(receive).join(", ")}` });
}
