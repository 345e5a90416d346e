import type { DefinedActor } from "../../../lib/core/actor-definition.ts";
import type { ActorJournal } from "../../../lib/core/contracts/actor-journal.ts";
import type { AnyReference, SpawnOptions } from "../../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { freshId } from "../../../lib/core/seam/random.ts";
import { repeatWhileAway, type WaitForStore } from "../../stores/repeat-while-away.ts";
import { cellFlag, type Cell } from "../cell.ts";
import { bindingTo, journaling, type Binder } from "../distant/reference-codec.ts";
import type { ActorNode } from "../node.ts";
import type { DurableNode } from "../node-parts.ts";
import { Reference } from "../reference.ts";
import { closedError } from "../refused.ts";
import { DurableCell } from "./durable-cell.ts";
import { DurableDefinitions } from "./durable-definitions.ts";
import { DurableMail, type DistantMail } from "./durable-mail.ts";
import { partsOfName } from "./durable-envelopes.ts";
import { errorOf } from "./effects.ts";
import { JournalWriter } from "./journal-writer.ts";
import { KeptTimers } from "./kept-timers.ts";
import { notDurable } from "./refusals.ts";
import { QuietActors } from "./quiet-actors.ts";
import { Recovery } from "./recovery.ts";
import { Transitions } from "./transitions.ts";

export interface DurableParts {
  /** Who opens it closes it. */
  readonly journal: () => Promise<ActorJournal>;
  /** How durable actors of other nodes are reached. */
  readonly distant?: DistantMail | undefined;
  /** Seeds what `ctx.random` gives to actors that haven't been. */
  readonly seed: number;
}

/** Of a reference to an actor that isn't durable, and was in memory that is lost. */
const lostLife = -2;

/**
 * The durable actors of a node. Each transition is in the journal before anybody sees what it does, and whoever comes back does the
 * same again.
 */
export class DurableActors implements DurableNode {
  readonly node: ActorNode;
  readonly seed: number;
  readonly definitions: DurableDefinitions;
  readonly mail: DurableMail;
  readonly timers: KeptTimers;
  readonly transitions: Transitions;
  readonly writer: JournalWriter;
  readonly quiet: QuietActors;
  readonly patience: WaitForStore;
  readonly #recovery: Recovery;
  readonly #journal: () => Promise<ActorJournal>;
  readonly #ended = new AbortController();
  readonly #binder: Binder;
  /** Tells what this life of the node wrote from all else: actors that aren't durable are good for one life. */
  readonly #memory = freshId("memory");
  /** Keys of actors that have something to do by themselves, by kinds that nobody has used yet. */
  readonly #asleep = new Map<string, string[]>();

  constructor(node: ActorNode, parts: DurableParts) {
    this.node = node;
    this.seed = parts.seed;
    this.#journal = parts.journal;
    this.patience = { clock: node.clock, away: this.away, signal: this.#ended.signal };
    this.definitions = new DurableDefinitions(node, this);
    this.mail = new DurableMail(node, this.definitions, parts.distant, (cell) => this.quiet.add(cell));
    this.timers = new KeptTimers(node);
    this.transitions = new Transitions(this);
    this.writer = new JournalWriter(parts.journal, this.patience);
    this.quiet = new QuietActors(node.clock, (cell) => this.transitions.rest(cell));
    this.#recovery = new Recovery(this, parts.journal);
    this.#binder = {
      refer: (life, id, kind, memory) => this.#refer(life, id, kind, memory),
      entity: (kind, key) => this.definitions.entity(kind, key),
    };
    void this.comeHome();
  }

  /** The store can't be reached: what is logged waits for it, and what it does to others. */
  readonly away = (error: QStreamError): void => {
    this.node.event({ kind: "store-away", error });
  };

  derive(definition: DefinedActor): DefinedActor {
    return this.definitions.derive(definition);
  }

  /** Makes the cell of a durable actor. */
  make(id: number, definition: DefinedActor, args: unknown): Cell {
    return new DurableCell(this.node, id, definition, args, this);
  }

  /** Starts an actor that is known by its name from now on, or brings back the one that was. */
  spawn(definition: DefinedActor, args: unknown, { name, mailbox, supervise, place }: SpawnOptions): AnyReference {
    const { kind } = definition;
    if (name === undefined) {
      throw new QStreamError("ACTOR_INVALID", `the actor "${kind}" is durable, and is started without a name`, {
        advice: "Its name is what it is known by after a loss: spawn(account, args, { name }), or entity(account, key)",
      });
    }
    if (mailbox !== undefined || supervise !== undefined || place !== undefined) {
      throw new QStreamError(
        "ACTOR_INVALID",
        `the actor "${kind}" is durable: its options are those of its definition`,
        {
          advice: "Put `mailbox` and `supervise` there; where it runs, its name says",
        },
      );
    }
    const reference = this.node.entities.reference(definition, name);
    if (this.node.parts.isHome?.(reference) === false) {
      throw new QStreamError(
        "ACTOR_INVALID",
        `the actor "${kind}" is durable, and "${name}" has its home on another slot`,
        {
          advice: "Address an entity, entity(kind, key): its first message makes it where it belongs",
        },
      );
    }
    this.node.names.claim(name, reference);
    return this.node.entities.here(reference, args).self;
  }

  send(from: Cell, to: Reference, name: string, payload: unknown): boolean {
    return (from as DurableCell).send(to, name, payload);
  }

  ask(from: Cell, to: Reference, name: string): void {
    if ((from as DurableCell).transition === undefined) return;
    throw notDurable(
      from.label,
      `asks ${to.label} "${name}"`,
      "Tell it, and let it tell the answer: ctx.sender is this actor",
    );
  }

  /** Brings an actor back, or makes its first state. */
  async begin(cell: DurableCell): Promise<unknown> {
    cell.isLoaded = false;
    try {
      await this.#recovery.load(cell);
    } catch (error) {
      // It doesn't become better by another try at once, as supervision has it.
      this.lose(cell, errorOf(error));
      return undefined;
    }
    if (cell.kept.seq < 0) this.transitions.begin(cell, this.seed);
    cell.isLoaded = true;
    this.#recovery.goOn(cell);
    return cell.state;
  }

  /** An actor ends here, or is to be made anew from its log: all that it did is durable then. */
  end(cell: DurableCell): Promise<void> | void {
    const isLeaving = (cell.flags & cellFlag.stopping) !== 0;
    if (isLeaving && !cell.isLost && cell.isLoaded) {
      if (cell.sinceSnapshot > 0) this.transitions.snapshot(cell);
      else this.transitions.rest(cell);
    }
    if (cell.unwritten === 0 || cell.isLost) return free(cell);
    return new Promise<void>((resolve) => cell.settled.push(resolve)).then(() => free(cell));
  }

  /** An actor has ended here. What it has to do by itself goes on: its mail is sent, and it comes back for its timers. */
  ended(ended: Cell): void {
    const cell = ended as DurableCell;
    // Who sent it sends it again, to the actor's next life.
    const isMissed = cell.dropNumbered();
    this.mail.leave(cell);
    const { reference } = cell;
    const comeBack = (): void => {
      if (this.node.isClosed || this.node.parts.isHome?.(reference) === false) return;
      this.node.entities.here(reference);
    };
    if (isMissed) this.node.clock.soon(() => this.mail.hurry());
    if (cell.isLost) return;
    if (cell.isLoaded) this.timers.leave(cell, comeBack);
    // Who ended without its state may have timers all the same; nobody knows of one that wasn't even claimed.
    else if (cell.isAwake || cell.generation === 0) this.node.clock.soon(comeBack);
  }

  /** Another node has the actor, or its store failed: what it did since the last durable transition is void. */
  lose(cell: DurableCell, error: Error): void {
    if (cell.isLost) return;
    cell.isLost = true;
    cell.more().error = error;
    cell.dropNumbered();
    for (const envelope of cell.mailbox()) envelope.reply?.refuse(error);
    for (const reply of cell.replies?.values() ?? []) reply.refuse(error);
    this.mail.forget(cell.keptName);
    this.node.metrics.failed++;
    this.node.event({ kind: "actor-failed", actor: cell.label, message: undefined, error, action: "stop" });
    this.node.lifecycle.stop(cell);
  }

  /** A kind is used for the first time: its actors that have something to do by themselves come back, and get what waits for them. */
  met(name: string, hasMail: boolean): void {
    const keys = this.#asleep.get(name) ?? [];
    if (keys.length === 0 && !hasMail) return;
    this.#asleep.delete(name);
    // Not within the call that needs the definition.
    this.node.clock.soon(() => {
      for (const key of keys) this.#wake(name, key);
      if (hasMail) this.mail.hurry();
    });
  }

  /** Looks which actors have something to do by themselves, and brings back those whose home is here. */
  async comeHome(): Promise<void> {
    let names: readonly string[];
    try {
      // Also where it can't be opened yet: nobody else might use an actor.
      names = await repeatWhileAway(this.patience, async () => (await this.#journal()).awake());
    } catch {
      // Whoever uses an actor meets the same error.
      return;
    }
    for (const name of names) {
      const { kind, key } = partsOfName(name);
      this.#wake(kind, key);
    }
    this.mail.hurry();
  }

  /** Resolves once all that has happened is durable. */
  settled(): Promise<void> {
    return this.writer.idle();
  }

  close(): void {
    this.timers.close();
    this.mail.close();
    this.quiet.close();
    this.#ended.abort(closedError());
  }

  /** Runs code that writes or reads references for the journal. */
  journaled<T>(work: () => T): T {
    return journaling(this.#memory, () => bindingTo(this.#binder, work));
  }

  #wake(kind: string, key: string): void {
    const reference = this.definitions.entity(kind, key);
    const definition = this.definitions.find(reference.definition);
    if (definition === undefined) {
      const keys = this.#asleep.get(kind) ?? [];
      keys.push(key);
      this.#asleep.set(kind, keys);
    } else if (this.node.parts.isHome?.(reference) !== false && !this.node.isClosed) {
      this.node.entities.here(this.node.entities.reference(definition, key));
    }
  }

  #refer(life: number, id: number, kind: string, memory: string | undefined): Reference {
    if (memory !== this.#memory) return new Reference(this.node, lostLife, id, kind, undefined);
    const cell = life === this.node.life ? this.node.known(id) : undefined;
    return new Reference(this.node, life, id, kind, cell);
  }
}

function free(cell: DurableCell): Promise<void> | void {
  if (cell.state === undefined) return undefined;
  return cell.source.stopped?.(cell.state, cell) as Promise<void> | void;
}
