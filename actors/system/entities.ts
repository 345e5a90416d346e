import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Cell } from "./cell.ts";
import { Envelope, type ReplyTo } from "./envelope.ts";
import type { ActorNode } from "./node.ts";
import { Reference } from "./reference.ts";

/** No life: where an entity is, its key says. */
export const entityLife = -1;

/** A reference to whoever is the actor of a kind and key. */
export class EntityReference extends Reference {
  readonly definition: DefinedActor;
  readonly entityKey: string;

  constructor(node: ActorNode, definition: DefinedActor, entityKey: string) {
    super(node, entityLife, 0, definition.kind, undefined);
    this.definition = definition;
    this.entityKey = entityKey;
  }

  override get label(): string {
    return `${this.kind}/${this.entityKey}`;
  }

  override get key(): string {
    return `entity/${this.kind}/${this.entityKey}`;
  }

  override equals(other: unknown): boolean {
    return other === this || (other instanceof Reference && other.key === this.key);
  }
}

/** The entities that are at home in a node: made by their first message, passivated when they have nothing to do. */
export class Entities {
  readonly #node: ActorNode;
  readonly #cells = new Map<string, Cell>();
  readonly #keys = new WeakMap<Cell, string>();
  /** How many messages each had handled when it was looked at last. */
  readonly #seen = new WeakMap<Cell, number>();
  readonly #sweeps = new Map<DefinedActor, () => void>();

  constructor(node: ActorNode) {
    this.#node = node;
  }

  reference(definition: DefinedActor, key: string): EntityReference {
    if (key.length === 0 || key.length > 1024) {
      throw new QStreamError("OPTION_INVALID", `${JSON.stringify(key.slice(0, 40))} is no key of an entity`, {
        advice: "A key has 1 to 1,024 characters",
      });
    }
    return new EntityReference(this.#node, definition, key);
  }

  /** Hands a message to an entity that is at home here. False if it belongs elsewhere. */
  deliver(
    to: EntityReference,
    name: string,
    payload: unknown,
    from: Cell | undefined,
    reply: ReplyTo | undefined,
  ): boolean {
    if (this.#node.parts.isHome?.(to) === false) return false;
    this.#node.deliver(this.here(to), new Envelope(name, payload, from?.self, reply), from);
    return true;
  }

  /** The entity's cell, which is made if there is none. */
  here({ definition, entityKey, key }: EntityReference): Cell {
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = this.#node.make(definition, entityKey, {});
      cell.more().name = `${definition.kind}/${entityKey}`;
      this.#cells.set(key, cell);
      this.#keys.set(cell, key);
      this.#sweep(definition);
    }
    return cell;
  }

  get(key: string): Cell | undefined {
    return this.#cells.get(key);
  }

  stop({ key }: EntityReference): void {
    const cell = this.#cells.get(key);
    if (cell !== undefined) this.#node.lifecycle.stop(cell);
  }

  ended(cell: Cell): void {
    const key = this.#keys.get(cell);
    if (key !== undefined && this.#cells.get(key) === cell) this.#cells.delete(key);
  }

  /** Ends entities that belong elsewhere from now on. */
  moveOut(isHome: (key: string) => boolean): void {
    for (const [key, cell] of this.#cells) if (!isHome(key)) this.#node.lifecycle.stop(cell);
  }

  close(): void {
    for (const cancel of this.#sweeps.values()) cancel();
    this.#sweeps.clear();
  }

  #sweep(definition: DefinedActor): void {
    const { passivateMs } = definition;
    if (passivateMs === undefined || this.#sweeps.has(definition)) return;
    const sweep = (): void => {
      this.#sweeps.delete(definition);
      let left = 0;
      for (const cell of this.#cells.values()) {
        if (cell.definition !== definition) continue;
        if (this.#seen.get(cell) === cell.handled && !cell.hasWork) this.#node.lifecycle.stop(cell);
        else {
          this.#seen.set(cell, cell.handled);
          left++;
        }
      }
      if (left > 0) this.#sweep(definition);
    };
    this.#sweeps.set(definition, this.#node.clock.after(passivateMs, sweep));
  }
}
