import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import type { AnyReference, SpawnOptions, StopOptions } from "../../lib/core/contracts/actor.ts";
import type { SupervisionAction } from "../../lib/core/contracts/actor-options.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { TimerRequest } from "./actor-timers.ts";
import type { Cell } from "./cell.ts";
import type { Envelope, ReplyTo } from "./envelope.ts";
import type { EntityReference } from "./entities.ts";
import type { Names } from "./names.ts";
import type { ActorNode } from "./node.ts";
import type { LocalTopics, Topics } from "./topics.ts";
import type { Reference } from "./reference.ts";
import type { DistantWatches } from "./watches.ts";

/** What happens in a system of actors, for whoever watches it. */
export type ActorEvent =
  | {
      readonly kind: "actor-failed";
      readonly actor: string;
      /** The message that its handler threw at; undefined in `init`, `watched` and `stopped`, and for a child's failure. */
      readonly message: string | undefined;
      readonly error: Error;
      readonly action: SupervisionAction;
    }
  /** Nobody handles a message: its actor has stopped or has no handler for it, or a full mailbox drops it. */
  | {
      readonly kind: "dead-letter";
      readonly to: string;
      readonly message: string;
      readonly why: DeadLetterReason;
      /** Why it can't travel. */
      readonly error?: Error;
    }
  /** A slot is lost, with its actors and what was in their mailboxes. Entities and durable actors come back elsewhere. */
  | {
      readonly kind: "slot-lost";
      readonly slot: string;
      /** How many actors are thought to have been there. */
      readonly actors: number;
      readonly error: Error;
    }
  /** The store of durable actors can't be reached: they wait for it. */
  | { readonly kind: "store-away"; readonly error: Error };

export type DeadLetterReason = "stopped" | "no-handler" | "mailbox-full" | "lost" | "unknown-actor" | "cannot-travel";

/** The durable actors of a node. */
export interface DurableNode {
  /** The definition as the node runs it: its handlers log what they do. */
  derive: (definition: DefinedActor) => DefinedActor;
  make: (id: number, definition: DefinedActor, args: unknown) => Cell;
  spawn: (definition: DefinedActor, args: unknown, options: SpawnOptions) => AnyReference;
  /** A durable actor has ended here. */
  ended: (cell: Cell) => void;
  /** Takes what a durable actor's handler sends. False where no handler of it runs. */
  send: (from: Cell, to: Reference, name: string, payload: unknown) => boolean;
  /** Refuses what a durable actor's handler asks: it can't wait for an answer. */
  ask: (from: Cell, to: Reference, name: string) => void;
}

/** Cells that have something to do. */
export interface ReadyCells {
  push: (cell: Cell) => void;
  take: () => Cell | undefined;
  readonly isEmpty: boolean;
}

/** Actors that are in other slots, and how they are reached. */
export interface DistantActors extends DistantWatches {
  /**
   * Somebody is going to have a reference to an entity of a definition.
   *
   * @throws QStreamError ACTOR_INVALID where other slots don't know it
   */
  checkEntity?: (definition: DefinedActor) => void;
  /**
   * @param from - who sends it, and is held where there is no room
   * @param sender - whom the receiver sees as the sender: another one than `from` for what is handed on
   */
  tell: (to: Reference, name: string, payload: unknown, from: Cell | undefined, sender?: AnyReference) => void;
  ask: (
    to: Reference,
    name: string,
    payload: unknown,
    from: Cell | undefined,
    reply: ReplyTo,
    sender?: AnyReference,
  ) => void;
  stop: (actor: Reference, options?: StopOptions) => void;
  /** An actor of this node has ended: its children elsewhere end. */
  ended?: (cell: Cell) => void;
  /** An actor's state is made anew: its children elsewhere end. */
  restarted?: (cell: Cell) => void;
  /** An actor without a parent in this node has failed, and its parent is to fail for it. */
  escalated?: (cell: Cell, error: Error) => void;
  /** Starts an actor where its place says; undefined where that is here. */
  spawn: (
    definition: DefinedActor,
    args: unknown,
    options: SpawnOptions,
    parent: Cell | undefined,
  ) => AnyReference | undefined;
}

/** Sees what is handled, one message after the other. */
export interface Observer {
  /** A message is going to be handled, or an actor's state made where there is none. */
  before?: (cell: Cell, envelope: Envelope | undefined) => void;
  after?: (cell: Cell, envelope: Envelope | undefined) => void;
  /** The clock is going to be asked for an actor's timer; for one that repeats itself, each time. */
  timer?: (cell: Cell, id: number, request: TimerRequest) => void;
}

/** The world as a node of actors reaches it. */
export interface NodeParts {
  /** This life of the node: no two of a system have the same. */
  readonly life: number;
  readonly clock: Clock;
  readonly seed: number;
  /** Asks for `takeTurns` to be called soon. */
  readonly schedule: () => void;
  readonly event: (event: ActorEvent) => void;
  /** In which order those with something to do take turns: first come, first served unless told. */
  readonly ready?: ReadyCells;
  readonly distant?: DistantActors;
  readonly observer?: Observer;
  /** Names of the whole system; of this node alone unless told. */
  readonly names?: Names;
  /** Topics of the whole system, on top of those of this node. */
  readonly topics?: (local: LocalTopics) => Topics;
  /** Keeps the actors that are durable. Without it there can be none. */
  readonly durable?: (node: ActorNode) => DurableNode;
  /** False for an entity whose home is another node. */
  readonly isHome?: (entity: EntityReference) => boolean;
}
