import { actorHome, type ActorHome } from "../../lib/core/actor-home.ts";
import type { AskOptions, AnyReference } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { homeOfNode } from "./nodes-here.ts";
import { turn } from "./turn.ts";
import type { Cell } from "./cell.ts";
import type { ActorNode } from "./node.ts";

/** An actor's address: the life of the node that it is in, and its number there. */
export interface ActorAddress {
  readonly life: number;
  readonly id: number;
  readonly kind: string;
}

const lifeIds = 2 ** 32;

/** Numbers of actors that a node starts elsewhere come after this one: no other node gives them. */
export function firstDistantId(life: number): number {
  return (life + 1) * lifeIds;
}

/** Who gave a number, and which of its numbers it is; undefined for those that an actor's own node gives. */
export function madeElsewhere(id: number): { readonly life: number; readonly count: number } | undefined {
  return id < lifeIds ? undefined : { life: Math.floor(id / lifeIds) - 1, count: id % lifeIds };
}

/** An actor's number for people: with the life of who started it, where that is another one's. */
export function idLabel(id: number): string {
  const made = madeElsewhere(id);
  return made === undefined ? String(id) : `${made.life}.${made.count}`;
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
    return this.cell?.label ?? `${this.kind}-${idLabel(this.id)}`;
  }

  /** The system that it is of, for flows that are given it. */
  get [actorHome](): ActorHome | undefined {
    return homeOfNode(this.node);
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

  /** What JSON has of it, for people to read: nothing can be sent to that. */
  toJSON(): string {
    return this.label;
  }

  /** What `console.log` shows: not the runtime behind it. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `ActorReference(${this.label})`;
  }
}

/**
 * Refuses what is no reference to an actor.
 *
 * @param where - who was given it: "ctx.watch of teller-3"
 */
export function checkReference(where: string, actor: unknown): void {
  if (typeof actor === "object" && actor !== null && "tell" in actor && "equals" in actor) return;
  throw new QStreamError("OPTION_INVALID", `${where} is given ${actor === undefined ? "undefined" : "no reference"}`, {
    advice: "Give it a reference to an actor: what spawn, entity or find returned",
  });
}
