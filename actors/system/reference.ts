import type { AskOptions, AnyReference } from "../../lib/core/contracts/actor.ts";
import { turn } from "./turn.ts";
import type { Cell } from "./cell.ts";
import type { ActorNode } from "./node.ts";

/** An actor's address: the life of the node that it is in, and its number there. */
export interface ActorAddress {
  readonly life: number;
  readonly id: number;
  readonly kind: string;
}

/** A reference to an actor, in a slot: of this slot's actors it knows the cell. */
export class Reference implements AnyReference {
  /** The node that it was made in, for who sends from outside of actors. */
  readonly node: ActorNode;
  readonly life: number;
  readonly id: number;
  readonly kind: string;
  readonly cell: Cell | undefined;

  constructor(node: ActorNode, life: number, id: number, kind: string, cell: Cell | undefined) {
    this.node = node;
    this.life = life;
    this.id = id;
    this.kind = kind;
    this.cell = cell;
  }

  get label(): string {
    return this.cell?.label ?? `${this.kind}-${this.id}`;
  }

  /** What tells it from all others. */
  get key(): string {
    return `${this.life}/${this.id}`;
  }

  tell(name: string, payload?: unknown): void {
    const from = turn.cell;
    if (from === undefined) this.node.tell(this, name, payload, undefined);
    else from.node.tell(this, name, payload, from);
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- what it is answered with is known to who has its type
  ask(name: string, payload?: unknown, options?: AskOptions): Promise<any> {
    const from = turn.cell;
    return (from?.node ?? this.node).ask(this, name, payload, options, from);
  }

  equals(other: unknown): boolean {
    return other === this || (other instanceof Reference && other.life === this.life && other.id === this.id);
  }

  toString(): string {
    return this.label;
  }
}
