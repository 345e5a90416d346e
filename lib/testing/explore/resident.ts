import type { Cell } from "../../../actors/system/cell.ts";
import type { ActorNode } from "../../../actors/system/node.ts";
import { Reference } from "../../../actors/system/reference.ts";

/**
 * A reference to whoever is in a place: an actor that belongs to a machine and is started again with it, and keeps its reference. It is one object
 * that everybody has, so what it leads to is changed in it.
 */
export class ResidentReference extends Reference {
  declare node: ActorNode;
  declare life: number;
  declare id: number;
  declare cell: Cell | undefined;
  readonly #label: string;

  constructor(node: ActorNode, kind: string, label: string) {
    super(node, node.life, 0, kind, undefined);
    this.#label = label;
  }

  override get label(): string {
    return this.#label;
  }

  override get key(): string {
    return `resident/${this.#label}`;
  }

  override equals(other: unknown): boolean {
    return other === this;
  }

  /** The actor is another one from now on. */
  leadTo(cell: Cell): void {
    this.node = cell.node;
    this.life = cell.node.life;
    this.id = cell.id;
    this.cell = cell;
  }
}
