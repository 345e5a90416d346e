import type { DefinedActor } from "../../lib/core/actor-definition.ts";
import { defaultMailboxLimit } from "../../lib/core/contracts/actor-options.ts";
import type { AnyReference, AskOptions, SpawnOptions, StopOptions } from "../../lib/core/contracts/actor.ts";
import { checkAskOptions, checkSpawnOptions } from "../../lib/core/check-actor-options.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { keyedRandom, type Random } from "../../lib/core/seam/random.ts";
import { ActorTimers } from "./actor-timers.ts";
import { Asks, type Question } from "./asks.ts";
import { cellFlag, Cell } from "./cell.ts";
import { EndedActors } from "./ended-actors.ts";
import { Entities, EntityReference } from "./entities.ts";
import { Envelope, lastMailName } from "./envelope.ts";
import { Lifecycle } from "./lifecycle.ts";
import { holdSender } from "./mailbox-room.ts";
import { LocalNames, type Names } from "./names.ts";
import { NodeMetrics } from "./node-metrics.ts";
import type { ActorEvent, DeadLetterReason, DistantActors, DurableNode, NodeParts } from "./node-parts.ts";
import { ReadyQueue } from "./ready-cells.ts";
import { Reference } from "./reference.ts";
import { closedError, refused } from "./refused.ts";
import { checkStopOrder } from "./stop-order.ts";
import { LocalTopics, type Topics } from "./topics.ts";
import { attach, livingBelow } from "./tree.ts";
import { TurnLoop } from "./turn-loop.ts";
import { turn } from "./turn.ts";
import { Watches } from "./watches.ts";

const noOptions: SpawnOptions = {};

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
  readonly durable: DurableNode | undefined;
  readonly #asks: Asks;
  readonly #turns: TurnLoop;
  readonly #lifecycle: Lifecycle;
  /** Cells that somebody elsewhere may have a reference to, by number. */
  readonly #known = new Map<number, Cell>();
  readonly endedActors = new EndedActors();
  #count = 0;
  #isClosed = false;
  #closedFor: Error | undefined;
  readonly #emptied: (() => void)[] = [];

  constructor(parts: NodeParts) {
    this.parts = parts;
    this.life = parts.life;
    this.clock = parts.clock;
    const wake = (cell: Cell): void => this.wake(cell);
    this.watches = new Watches(wake, (reference) => this.locate(reference), parts.distant);
    this.names = parts.names ?? new LocalNames();
    const offer = (cell: Cell, envelope: Envelope): void => this.offer(cell, envelope, undefined);
    this.timers = new ActorTimers(parts.clock, offer, parts.observer);
    const local = new LocalTopics((cell, envelope, from) => this.offer(cell, envelope, from));
    this.topics = parts.topics?.(local) ?? local;
    this.entities = new Entities(this);
    this.root = new Cell(this, 0, { kind: "guardian", receive: {}, mailbox: {} } as DefinedActor, undefined, undefined);
    this.root.flags = 0;
    this.#asks = new Asks(parts.clock);
    this.#turns = new TurnLoop(this, parts.ready ?? new ReadyQueue());
    this.#lifecycle = new Lifecycle(this);
    this.durable = parts.durable?.(this);
  }

  get distant(): DistantActors | undefined {
    return this.parts.distant;
  }

  get isClosed(): boolean {
    return this.#isClosed;
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

  spawn(definition: DefinedActor, args: unknown, options: SpawnOptions = noOptions, parent = this.root): AnyReference {
    if (this.#isClosed) throw this.#closed();
    if (options !== noOptions) checkSpawnOptions(`spawn() of ${definition.kind}`, options);
    if (definition.durable !== undefined) {
      const durable = this.#durable(definition);
      return durable.spawn(durable.derive(definition), args, options);
    }
    if (options.place !== undefined) {
      const elsewhere = this.parts.distant?.spawn(definition, args, options, parent === this.root ? undefined : parent);
      if (elsewhere !== undefined) return elsewhere;
    }
    return this.make(definition, args, options, parent).self;
  }

  /** Makes an actor here. Its number is the next one, unless who starts it elsewhere has given it one. */
  make(definition: DefinedActor, args: unknown, options: SpawnOptions, parent = this.root, id?: number): Cell {
    if ((parent.flags & (cellFlag.stopping | cellFlag.ended)) !== 0) {
      throw new QStreamError("ACTOR_STOPPED", `${parent.label} has stopped, and can't start a ${definition.kind}`);
    }
    const number = id ?? ++this.#count;
    const cell =
      definition.durable === undefined
        ? new Cell(this, number, definition, args, parent)
        : this.#durable(definition).make(number, definition, args);
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
    // Wherever the key is at home: its actor may send to other slots, which are to know it then.
    this.parts.distant?.checkEntity?.(definition);
    return this.entities.reference(definition, key);
  }

  tell(to: Reference, name: string, payload: unknown, from: Cell | undefined): void {
    if (from !== undefined && (from.flags & cellFlag.durable) !== 0) {
      if (this.durable?.send(from, to, name, payload) === true) return;
    }
    const { cell } = to;
    if (cell !== undefined && cell.node === this) {
      this.deliver(cell, new Envelope(name, payload, from?.self, undefined), from);
    } else this.#away(to, new Envelope(name, payload, from?.self, undefined), from);
  }

  /** Hands a message on: who sent it stays its sender, and gets the answer of who has it now. */
  forward(to: AnyReference, { name, payload, sender, reply }: Envelope, by: Cell): void {
    const envelope = new Envelope(name, payload, sender, reply);
    if (!(to instanceof Reference)) {
      this.deadLetter(to.label, envelope, "unknown-actor");
      return;
    }
    const { cell } = to;
    if (cell !== undefined && cell.node === this) this.offer(cell, envelope, by);
    else this.#away(to, envelope, by);
  }

  /** A question that goes to no actor, but to another node. */
  question(name: string, to: { readonly label: string }, options: AskOptions): Question {
    return this.#asks.open(name, to, options);
  }

  ask(
    to: Reference,
    name: string,
    payload: unknown,
    options: AskOptions | undefined,
    from: Cell | undefined,
  ): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(this.#closed());
    if (from !== undefined && (from.flags & cellFlag.durable) !== 0) this.durable?.ask(from, to, name);
    try {
      if (options !== undefined) checkAskOptions(name, to, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const question = this.#asks.open(name, to, options);
    if (question.isOver) return question.answered;
    try {
      const { cell } = to;
      if (cell !== undefined && cell.node === this) {
        this.deliver(cell, new Envelope(name, payload, from?.self, question), from);
      } else this.#away(to, new Envelope(name, payload, from?.self, question), from);
    } catch (error) {
      question.refuse(error instanceof Error ? error : new Error(String(error)));
    }
    return question.answered;
  }

  /** Sends again what came to an entity while it ended. */
  resend(to: Reference, envelope: Envelope): void {
    try {
      this.#away(to, envelope, undefined);
    } catch (error) {
      this.#hasNoRoom(to, envelope, error);
    }
  }

  #away(to: Reference, envelope: Envelope, from: Cell | undefined): void {
    if (this.#isClosed) {
      this.deadLetter(to.label, envelope, "stopped");
      return;
    }
    if (to instanceof EntityReference && this.entities.deliver(to, envelope, from)) return;
    const { distant } = this.parts;
    const { name, payload, reply } = envelope;
    if (distant === undefined) this.deadLetter(to.label, envelope, "unknown-actor");
    else if (reply === undefined) distant.tell(to, name, payload, from, envelope.sender);
    else distant.ask(to, name, payload, from, reply, envelope.sender);
  }

  /** Puts a message into a mailbox of this node. */
  deliver(cell: Cell, envelope: Envelope, from?: Cell): void {
    if ((cell.flags & cellFlag.ended) !== 0) {
      this.deadLetter(cell.label, envelope, "stopped", cell.extras?.error);
      return;
    }
    if (cell.waiting >= cell.limit && !holdSender(cell, envelope, from)) return;
    cell.append(envelope);
    if (cell.flags === 0) this.#turns.push(cell);
    else this.wake(cell);
  }

  /** The same for who can't be refused or made to wait: what a mailbox has no room for is a dead letter. */
  offer(cell: Cell, envelope: Envelope, from: Cell | undefined): void {
    try {
      this.deliver(cell, envelope, from);
    } catch (error) {
      this.#hasNoRoom(cell, envelope, error);
    }
  }

  #hasNoRoom({ label }: { readonly label: string }, envelope: Envelope, error: unknown): void {
    if (!(error instanceof QStreamError) || error.code !== "MAILBOX_FULL") throw error;
    this.deadLetter(label, envelope, "mailbox-full");
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

  /** What an actor handles. `stopped` runs when the state is given up, within whatever is handled then. */
  handling(cell: Cell): Envelope | undefined {
    return turn.cell === cell && (cell.flags & cellFlag.starting) === 0 ? this.#turns.envelope : undefined;
  }

  /** The actor of a reference, if it lives here. */
  locate(reference: Reference): Cell | undefined {
    if (reference instanceof EntityReference) return this.entities.get(reference.key);
    if (reference.cell?.node === this) return reference.cell;
    return reference.life === this.life ? this.#known.get(reference.id) : undefined;
  }

  stop(actor: AnyReference, options?: StopOptions): void {
    checkStopOrder(actor, options);
    const cell = this.locate(actor);
    if (cell === undefined) this.parts.distant?.stop(actor, options);
    else if (options?.afterMail !== true) this.#lifecycle.stop(cell);
    else if ((cell.flags & cellFlag.ended) === 0) {
      cell.append(new Envelope(lastMailName, undefined, undefined, undefined));
      this.wake(cell);
    }
  }

  /** @param failure - for which the actor has ended */
  deadLetter(to: string, envelope: Envelope, why: DeadLetterReason, failure?: Error): void {
    const { name, reply } = envelope;
    // Nobody waits for it any more, or it is none that anybody sent.
    if (reply?.isOver === true || name === lastMailName) return;
    this.metrics.deadLetters++;
    if (why === "mailbox-full") this.metrics.dropped++;
    this.event({ kind: "dead-letter", to, message: name, why });
    reply?.refuse(refused(to, name, why, failure));
  }

  /** Tells of something. What the listener throws is its own error, and not one of the actor's that it is told of. */
  event(event: ActorEvent): void {
    try {
      this.parts.event(event);
    } catch (error) {
      this.clock.soon(() => {
        throw error;
      });
    }
  }

  /** Lets others send to a cell by its number. */
  know(cell: Cell): void {
    this.#known.set(cell.id, cell);
  }

  known(id: number): Cell | undefined {
    return this.#known.get(id);
  }

  forget(cell: Cell): void {
    if (this.#known.size > 0 && this.#known.delete(cell.id)) this.endedActors.add(cell);
    this.metrics.ended++;
    if (this.#isClosed && this.root.firstChild === undefined) for (const told of this.#emptied.splice(0)) told();
  }

  mailboxLimit({ mailbox }: DefinedActor): number {
    return mailbox.limit ?? defaultMailboxLimit;
  }

  randomOf(cell: Cell): Random {
    return keyedRandom(this.parts.seed, this.life, cell.id);
  }

  /**
   * Stops all actors; nothing is handled after this.
   *
   * @param reason - why, where it is closed because something failed
   */
  close(reason?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closedFor = reason;
    // Those whose handlers wait for something end when that is settled.
    for (let child = this.root.firstChild; child !== undefined;) {
      const next: Cell | undefined = child.nextSibling;
      this.#lifecycle.stop(child);
      child = next;
    }
    this.entities.close();
    this.#asks.close(this.#closed());
  }

  /** Once a node is closed: resolves when its last actor has ended, or after so many milliseconds. */
  emptied(withinMs: number): Promise<void> {
    if (this.root.firstChild === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.clock.after(withinMs, resolve);
      this.#emptied.push(() => {
        cancel();
        resolve();
      });
    });
  }

  #durable({ kind }: DefinedActor): DurableNode {
    if (this.durable !== undefined) return this.durable;
    throw new QStreamError("ACTOR_INVALID", `the actor "${kind}" is durable, and its system of actors has no store`, {
      advice:
        'Name one: startActors({ store: "lmdb:.qstream" }); on slots, address an entity: system.entity(kind, key)',
    });
  }

  #closed(): QStreamError {
    return closedError(this.#closedFor);
  }
}
