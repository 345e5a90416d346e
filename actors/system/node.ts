import { definedActor, type DefinedActor } from "../../lib/core/actor-definition.ts";
import { defaultMailboxLimit } from "../../lib/core/contracts/actor-options.ts";
import type { AnyReference, AskOptions, SpawnOptions } from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { keyedRandom, type Random } from "../../lib/core/seam/random.ts";
import { ActorTimers } from "./actor-timers.ts";
import { Asks } from "./asks.ts";
import { cellFlag, Cell } from "./cell.ts";
import { Entities, EntityReference } from "./entities.ts";
import { Envelope, type ReplyTo } from "./envelope.ts";
import { Lifecycle } from "./lifecycle.ts";
import { holdSender } from "./mailbox-room.ts";
import { LocalNames, type Names } from "./names.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { DeadLetterReason, DistantActors, NodeParts } from "./node-parts.ts";
import { ReadyQueue } from "./ready-cells.ts";
import { Reference } from "./reference.ts";
import { LocalTopics, type Topics } from "./topics.ts";
import { attach, livingBelow } from "./tree.ts";
import { TurnLoop } from "./turn-loop.ts";
import { turn } from "./turn.ts";
import { Watches } from "./watches.ts";

const guardian = definedActor({ kind: "guardian" });

/**
 * The actors of one slot: makes them, hands them their messages, and ends them. Actors that are elsewhere are reached through
 * `parts.distant`. A node does nothing by itself: it asks for turns, and somebody gives them.
 */
export class ActorNode {
  readonly life: number;
  readonly clock: Clock;
  readonly metrics = new NodeMetrics();
  readonly timers: ActorTimers;
  readonly watches: Watches;
  readonly names: Names;
  readonly topics: Topics;
  readonly entities: Entities;
  /** Parent of those that no actor started. */
  readonly root: Cell;
  readonly parts: NodeParts;
  readonly #asks: Asks;
  readonly #turns: TurnLoop;
  readonly #lifecycle: Lifecycle;
  /** Cells that somebody elsewhere may have a reference to, by number. */
  readonly #known = new Map<number, Cell>();
  #count = 0;
  #isClosed = false;

  constructor(parts: NodeParts) {
    this.parts = parts;
    this.life = parts.life;
    this.clock = parts.clock;
    const wake = (cell: Cell): void => this.wake(cell);
    this.watches = new Watches(wake, parts.distant);
    this.names = parts.names ?? new LocalNames();
    this.timers = new ActorTimers(parts.clock, (cell, envelope) => this.deliver(cell, envelope));
    const local = new LocalTopics((cell, name, payload, sender) => {
      this.deliver(cell, new Envelope(name, payload, sender, undefined));
    });
    this.topics = parts.topics?.(local) ?? local;
    this.entities = new Entities(this);
    this.root = new Cell(
      this,
      0,
      { ...guardian, receive: {}, mailbox: {}, modes: new Map() } as DefinedActor,
      undefined,
      undefined,
    );
    this.root.flags = 0;
    this.#asks = new Asks(parts.clock);
    this.#turns = new TurnLoop(this, parts.ready ?? new ReadyQueue());
    this.#lifecycle = new Lifecycle(this);
  }

  get distant(): DistantActors | undefined {
    return this.parts.distant;
  }

  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  /** True while an actor has something to do that it can do. */
  get isBusy(): boolean {
    return !this.#turns.isEmpty;
  }

  /** How many actors live. */
  get size(): number {
    return this.metrics.spawned - this.metrics.ended;
  }

  /** All actors that live, parents before their children. */
  living(): Generator<Cell> {
    return livingBelow(this.root);
  }

  spawn(definition: DefinedActor, args: unknown, options: SpawnOptions = {}, parent = this.root): AnyReference {
    if (this.#isClosed) throw this.#closed();
    if (options.place !== undefined) {
      const elsewhere = this.parts.distant?.spawn(definition, args, options, parent === this.root ? undefined : parent);
      if (elsewhere !== undefined) return elsewhere;
    }
    return this.make(definition, args, options, parent).self;
  }

  /** Makes an actor here. */
  make(definition: DefinedActor, args: unknown, options: SpawnOptions, parent = this.root): Cell {
    if ((parent.flags & (cellFlag.stopping | cellFlag.ended)) !== 0) {
      throw new QStreamError("ACTOR_STOPPED", `${parent.label} has stopped, and can't start a ${definition.kind}`);
    }
    const cell = new Cell(this, ++this.#count, definition, args, parent);
    const { mailbox, supervise, name } = options;
    if (supervise !== undefined) cell.more().supervise = supervise;
    if (mailbox !== undefined) {
      cell.limit = mailbox.limit ?? cell.limit;
      cell.more().full = mailbox.full;
    }
    if (name !== undefined) {
      this.names.claim(name, cell.self);
      cell.more().name = name;
    }
    attach(parent, cell);
    this.metrics.spawned++;
    this.wake(cell);
    return cell;
  }

  entity(definition: DefinedActor, key: string): AnyReference {
    return this.entities.reference(definition, key);
  }

  tell(to: Reference, name: string, payload: unknown, from: Cell | undefined): void {
    const { cell } = to;
    if (cell !== undefined && cell.node === this) {
      this.deliver(cell, new Envelope(name, payload, from?.self, undefined), from);
    } else this.#away(to, name, payload, from, undefined);
  }

  ask(
    to: Reference,
    name: string,
    payload: unknown,
    options: AskOptions | undefined,
    from: Cell | undefined,
  ): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(this.#closed());
    return this.#asks.open(`"${name}" of ${to.label}`, options, (question) => {
      const { cell } = to;
      if (cell !== undefined && cell.node === this) {
        this.deliver(cell, new Envelope(name, payload, from?.self, question), from);
      } else this.#away(to, name, payload, from, question);
    });
  }

  #away(to: Reference, name: string, payload: unknown, from: Cell | undefined, reply: ReplyTo | undefined): void {
    if (to instanceof EntityReference && this.entities.deliver(to, name, payload, from, reply)) return;
    const { distant } = this.parts;
    if (distant !== undefined) {
      if (reply === undefined) distant.tell(to, name, payload, from);
      else distant.ask(to, name, payload, from, reply);
      return;
    }
    // References of a thread that has several nodes may know the cell, and who has the node then reaches it.
    this.deadLetter(to.label, new Envelope(name, payload, from?.self, reply), "unknown-actor");
  }

  /** Puts a message into a mailbox of this node. */
  deliver(cell: Cell, envelope: Envelope, from?: Cell): void {
    if ((cell.flags & cellFlag.ended) !== 0) {
      this.deadLetter(cell.label, envelope, "stopped");
      return;
    }
    if (cell.waiting >= cell.limit && !holdSender(cell, envelope, from)) return;
    cell.append(envelope);
    if ((cell.flags & cellFlag.ready) === 0) this.wake(cell);
  }

  /** Gives a cell a turn, if it can take one and has something to do. */
  wake(cell: Cell): void {
    if ((cell.flags & (cellFlag.ready | cellFlag.running)) === 0 && cell.hasWork) this.#turns.push(cell);
  }

  /**
   * Handles messages, up to a number.
   *
   * @returns true if there is more to do
   */
  takeTurns(most?: number): boolean {
    return this.#turns.take(most);
  }

  /** Handles one message of a cell that has something to do. */
  step(cell: Cell): void {
    this.#turns.step(cell);
  }

  handling(cell: Cell): Envelope | undefined {
    return turn.cell === cell ? this.#turns.envelope : undefined;
  }

  /** Whoever sent what is handled now isn't answered when the handler returns. */
  keepUnanswered(cell: Cell): void {
    if (turn.cell === cell) this.#turns.isUnanswered = true;
  }

  stop(actor: AnyReference): void {
    if (!(actor instanceof Reference)) return;
    if (actor.cell?.node === this) this.#lifecycle.stop(actor.cell);
    else if (actor instanceof EntityReference) this.entities.stop(actor);
    else this.parts.distant?.stop(actor);
  }

  deadLetter(to: string, envelope: Envelope, why: DeadLetterReason): void {
    this.metrics.deadLetters++;
    if (why === "mailbox-full") this.metrics.dropped++;
    this.parts.event({ kind: "dead-letter", to, message: envelope.name, why });
    const { reply } = envelope;
    if (reply !== undefined && !reply.isOver) reply.refuse(refused(to, envelope.name, why));
  }

  /** Lets others send to a cell by its number. */
  know(cell: Cell): void {
    this.#known.set(cell.id, cell);
  }

  known(id: number): Cell | undefined {
    return this.#known.get(id);
  }

  forget(cell: Cell): void {
    this.#known.delete(cell.id);
    this.metrics.ended++;
  }

  mailboxLimit({ mailbox }: DefinedActor): number {
    return mailbox.limit ?? defaultMailboxLimit;
  }

  randomOf(cell: Cell): Random {
    return keyedRandom(this.parts.seed, this.life, cell.id);
  }

  /** Stops all actors; nothing is handled after this. */
  close(): void {
    if (this.#isClosed) return;
    for (let child = this.root.firstChild; child !== undefined; child = this.root.firstChild) {
      this.#lifecycle.stop(child);
      if (this.root.firstChild === child) break;
    }
    this.#isClosed = true;
    this.entities.close();
    this.#asks.close(this.#closed());
  }

  #closed(): QStreamError {
    return new QStreamError("SESSION_CLOSED", "the system of actors was closed");
  }
}

function refused(to: string, message: string, why: DeadLetterReason): QStreamError {
  switch (why) {
    case "no-handler":
      return new QStreamError("MESSAGE_UNHANDLED", `${to} has no handler for "${message}"`, {
        advice: "Send it what its definition's `receive` has",
      });
    case "mailbox-full":
      return new QStreamError("MAILBOX_FULL", `the mailbox of ${to} had no room for "${message}"`, {
        advice: "Ask again later, or give it a larger mailbox",
      });
    case "stopped":
    case "lost":
    case "unknown-actor":
      return new QStreamError("ACTOR_STOPPED", `${to} isn't there any more: "${message}" was not handled`, {
        advice: "Watch an actor to be told when it ends, and start or find another",
      });
  }
}
