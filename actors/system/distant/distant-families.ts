import type { DefinedActor } from "../../../lib/core/actor-definition.ts";
import { assertTravels } from "../../../lib/core/codec/index.ts";
import type { MailboxOptions, Supervision } from "../../../lib/core/contracts/actor-options.ts";
import type { SpawnOptions, StopOptions } from "../../../lib/core/contracts/actor.ts";
import { errorFromData, errorToData, QStreamError, type ErrorData } from "../../../lib/core/errors.ts";
import { cellFlag, type Cell } from "../cell.ts";
import { Reference } from "../reference.ts";
import type { ActorNode } from "../node.ts";
import { AwaitedActors } from "./awaited-actors.ts";
import type { Claimants } from "./distant-names.ts";
import type { NodeMessages, NodeService } from "./node-link.ts";
import { known, nameOf } from "./reference-codec.ts";

interface SpawnOrder {
  readonly id: number;
  readonly kind: string;
  readonly args: unknown;
  readonly name: string | undefined;
  readonly mailbox: MailboxOptions | undefined;
  readonly supervise: Supervision | undefined;
  readonly parent: Reference | undefined;
}

interface Kinship {
  readonly parent: Reference;
  readonly child: Reference;
}

interface Joined extends NodeMessages {
  readonly node: ActorNode;
  readonly canReach: (life: number) => boolean;
}

/** Parents and children in different slots: how actors start elsewhere, and what ends and failures mean there. */
export class DistantFamilies {
  readonly #joined: Joined;
  readonly #definitions: ReadonlyMap<string, DefinedActor>;
  /** Actors of this node, by the life of the node where their parents are. */
  readonly #children = new Map<number, Set<Cell>>();
  /** Actors of which others speak before the order to start them is here. */
  readonly awaited: AwaitedActors;

  constructor(joined: Joined, definitions: ReadonlyMap<string, DefinedActor>) {
    this.#joined = joined;
    this.#definitions = definitions;
    this.awaited = new AwaitedActors((life) => joined.canReach(life));
  }

  /** Starts an actor in another node. The reference is good at once. */
  spawn(
    reference: Reference,
    definition: DefinedActor,
    args: unknown,
    { name, mailbox, supervise }: SpawnOptions,
    parent: Cell | undefined,
  ): void {
    const kind = nameOf(definition);
    assertTravels([args, supervise]);
    const { id, life } = reference;
    const order: SpawnOrder = {
      id,
      kind,
      args,
      name,
      mailbox,
      supervise,
      parent: parent?.self as Reference | undefined,
    };
    if (parent !== undefined) {
      known(parent.self as Reference);
      (parent.more().distant ??= new Map()).set(reference.key, reference);
    }
    this.#joined.tellNode(life, "spawn", order, true);
  }

  /** An actor of this node has ended: its children elsewhere end too, and its parent elsewhere forgets it. */
  ended(cell: Cell): void {
    const { extras } = cell;
    if (extras === undefined) return;
    this.endChildren(cell);
    const parent = extras.distantParent;
    if (parent === undefined) return;
    const { reference, life } = parent;
    const siblings = this.#children.get(life);
    siblings?.delete(cell);
    if (siblings?.size === 0) this.#children.delete(life);
    this.#joined.tellNode(life, "child-ended", { parent: reference, child: cell.self }, true);
  }

  /** The children elsewhere of an actor whose state is made anew, or that ends, end. */
  endChildren(cell: Cell): void {
    const children = cell.extras?.distant;
    if (children === undefined) return;
    for (const child of children.values()) this.#joined.node.stop(child);
    children.clear();
  }

  /** An actor's failure is its parent's, which is elsewhere. */
  escalate(cell: Cell, error: Error): void {
    const parent = cell.extras?.distantParent;
    if (parent === undefined) return;
    const what = { parent: parent.reference, child: cell.label, error: errorToData(error) };
    this.#joined.tellNode(parent.life, "child-failed", what, true);
  }

  /** A node is lost: the children of its actors end, and those who had children there have them no more. */
  lost(life: number): void {
    this.awaited.lost(life);
    for (const { extras } of this.#joined.node.living()) {
      for (const [key, child] of extras?.distant ?? []) {
        if ((child as Reference).life === life) extras?.distant?.delete(key);
      }
    }
    const children = this.#children.get(life);
    this.#children.delete(life);
    for (const cell of children ?? []) this.#joined.node.lifecycle.stop(cell);
  }

  /** Ends an actor that can't be. */
  end(actor: Reference, error: Error): void {
    const { node } = this.#joined;
    const cell = node.locate(actor);
    if (cell === undefined) return;
    cell.more().error = error;
    node.event({ kind: "actor-failed", actor: cell.label, message: undefined, error, action: "stop" });
    node.lifecycle.stop(cell);
  }

  /** Actors of this node whose names are at home elsewhere. */
  readonly claimants: Claimants = {
    wait: (actor) => {
      const cell = this.#joined.node.locate(actor);
      if (cell !== undefined) cell.flags |= cellFlag.unnamed;
    },
    grant: (actor) => {
      const cell = this.#joined.node.locate(actor);
      if (cell === undefined) return;
      cell.flags &= ~cellFlag.unnamed;
      this.#joined.node.wake(cell);
    },
    refuse: (actor, error) => this.end(actor, error),
  };

  readonly services: Readonly<Record<string, NodeService>> = {
    spawn: (order: SpawnOrder, from) => {
      try {
        this.#spawn(order, from);
      } catch (error) {
        this.#notStarted(order, from);
        throw error;
      } finally {
        this.awaited.made(order.id);
      }
    },
    stop: ({ actor, options }: { readonly actor: Reference; readonly options: StopOptions | undefined }) => {
      const { node } = this.#joined;
      this.awaited.whenMade(actor.id, () => {
        if (node.locate(actor) !== undefined) node.stop(actor, options);
      });
    },
    "child-ended": ({ parent, child }: Kinship) => {
      this.#joined.node.locate(parent)?.extras?.distant?.delete(child.key);
    },
    "child-failed": ({
      parent,
      child,
      error,
    }: {
      readonly parent: Reference;
      readonly child: string;
      readonly error: ErrorData;
    }) => {
      const { node } = this.#joined;
      const cell = node.locate(parent);
      if (cell === undefined || (cell.flags & (cellFlag.stopping | cellFlag.ended)) !== 0) return;
      const cause = errorFromData(error);
      const what = `${child}, a child of ${cell.label} in another slot, failed: ${cause.message}`;
      node.lifecycle.failedBelow(cell, new QStreamError("ACTOR_FAILED", what, { cause }));
    },
  };

  /** There is none, and its parent is to forget it. */
  #notStarted({ id, kind, parent }: SpawnOrder, from: number): void {
    if (parent === undefined) return;
    const { node } = this.#joined;
    const child = new Reference(node, node.life, id, kind, undefined);
    this.#joined.tellNode(from, "child-ended", { parent, child }, true);
  }

  #spawn({ id, kind, args, name, mailbox, supervise, parent }: SpawnOrder, from: number): void {
    const { node } = this.#joined;
    const definition = this.#definitions.get(kind);
    if (definition === undefined) throw new QStreamError("FRAME_INVALID", `no definition is called "${kind}"`);
    const options: SpawnOptions = {
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(supervise === undefined ? {} : { supervise }),
    };
    const cell = node.make(definition, args, options, node.root, id);
    node.know(cell);
    if (parent !== undefined) {
      cell.more().distantParent = { reference: parent, life: from };
      let children = this.#children.get(from);
      if (children === undefined) this.#children.set(from, (children = new Set()));
      children.add(cell);
    }
    if (name === undefined) return;
    cell.more().name = name;
    try {
      node.names.claim(name, cell.self);
    } catch (error) {
      this.end(cell.self as Reference, error as Error);
    }
  }
}
