import { LocalNames } from "../../../actors/system/names.ts";
import type { Cell } from "../../../actors/system/cell.ts";
import type { LocalTopics, Topics } from "../../../actors/system/topics.ts";
import { Reference } from "../../../actors/system/reference.ts";
import type { AnyReference } from "../../core/contracts/actor.ts";
import type { ExploredNode } from "./explored-node.ts";

/** The names of all machines. */
export class WorldNames extends LocalNames {
  readonly #touched: (isLookedUp: boolean) => void;

  /** @param touched - told when a name is looked up, as whoever asked goes on with a promise, given or taken away */
  constructor(touched: (isLookedUp: boolean) => void) {
    super();
    this.#touched = touched;
  }

  override find(name: string): Promise<AnyReference | undefined> {
    this.#touched(true);
    return super.find(name);
  }

  override claim(name: string, actor: AnyReference): void {
    this.#touched(false);
    super.claim(name, actor);
  }

  override release(name: string, actor: AnyReference): void {
    this.#touched(false);
    super.release(name, actor);
  }

  /** A machine has crashed: its actors have no names any more. */
  lost(node: ExploredNode): void {
    for (const [name, actor] of this.list()) {
      if (actor instanceof Reference && actor.cell?.node === node) this.release(name, actor);
    }
  }
}

/** Who subscribes to what, on all machines. */
export type Subscribers = Map<string, Map<Cell, string>>;

/** Topics of all machines, as one of them has them: what is published reaches those of others by messages. */
export class WorldTopics implements Topics {
  readonly #subscribers: Subscribers;
  readonly #local: LocalTopics;
  readonly #touched: () => void;
  readonly #send: (cell: Cell, name: string, payload: unknown, from: Cell | undefined) => void;

  constructor(
    subscribers: Subscribers,
    local: LocalTopics,
    touched: () => void,
    send: (cell: Cell, name: string, payload: unknown, from: Cell | undefined) => void,
  ) {
    this.#subscribers = subscribers;
    this.#local = local;
    this.#touched = touched;
    this.#send = send;
  }

  subscribe(cell: Cell, topic: string, name: string): void {
    this.#touched();
    this.#local.subscribe(cell, topic, name);
    let cells = this.#subscribers.get(topic);
    if (cells === undefined) this.#subscribers.set(topic, (cells = new Map()));
    cells.set(cell, name);
  }

  unsubscribe(cell: Cell, topic: string): void {
    this.#touched();
    this.#local.unsubscribe(cell, topic);
    this.#subscribers.get(topic)?.delete(cell);
  }

  publish(topic: string, payload: unknown, from: Cell | undefined): void {
    this.#touched();
    this.#local.publish(topic, payload, from);
    for (const [cell, name] of this.#subscribers.get(topic) ?? []) this.#send(cell, name, payload, from);
  }

  leave(cell: Cell): void {
    if ((cell.extras?.topics?.size ?? 0) > 0) this.#touched();
    this.#local.leave(cell);
    for (const cells of this.#subscribers.values()) cells.delete(cell);
  }
}
