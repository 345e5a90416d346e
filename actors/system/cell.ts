import { definedActor, type DefinedActor, type HandlerTable } from "../../lib/core/actor-definition.ts";
import type {
  ActorContext,
  ActorDefinition,
  ActorReference,
  ActorTimer,
  AnyReference,
  Deferred,
  EntityDefinition,
  SpawnOptions,
  SpawnRest,
  StopOptions,
} from "../../lib/core/contracts/actor.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ActorNode } from "./node.ts";
import { DeferredReply } from "./asks.ts";
import { CellExtras } from "./cell-extras.ts";
import { Envelope } from "./envelope.ts";
import { Gathering } from "./gathering.ts";
import { PromisedAnswers } from "./promised-answers.ts";
import { checkReference, idLabel, Reference } from "./reference.ts";
import { Refusal } from "./supervising.ts";

/** What a cell is at. Bits of `Cell.flags`. */
export const cellFlag = {
  /** In the queue of those that have something to do. */
  ready: 1,
  /** Its handler runs now. */
  running: 2,
  /** Its handler's promise is waited for. */
  suspended: 4,
  /** Its state isn't made yet. */
  starting: 8,
  /** Somebody that it sent to has no room. */
  held: 16,
  stopping: 32,
  ended: 64,
  /** Waits before a restart. */
  backingOff: 128,
  /** Something is in its control lane. */
  control: 256,
  /** Waits for the end of its children before a restart. */
  clearing: 512,
  /** Its transitions are logged. */
  durable: 1024,
  /** Too many of its transitions wait for the store. */
  ahead: 2048,
  /** Its name is claimed, and isn't granted yet. */
  unnamed: 4096,
} as const;

/** None of these takes a message. */
const blocked =
  cellFlag.suspended |
  cellFlag.held |
  cellFlag.stopping |
  cellFlag.ended |
  cellFlag.backingOff |
  cellFlag.clearing |
  cellFlag.ahead |
  cellFlag.unnamed;

/**
 * An actor in its slot: its state, its mailbox and its place in the tree. It is its own context, and its mailbox, children and the
 * queue of those with something to do are linked through the cells, so that an idle actor takes a few hundred bytes.
 */
export class Cell implements ActorContext {
  readonly node: ActorNode;
  readonly definition: DefinedActor;
  readonly id: number;
  readonly args: unknown;
  parent: Cell | undefined;
  firstChild: Cell | undefined = undefined;
  nextSibling: Cell | undefined = undefined;
  previousSibling: Cell | undefined = undefined;
  nextReady: Cell | undefined = undefined;
  state: unknown = undefined;
  table: HandlerTable;
  flags: number = cellFlag.starting;
  head: Envelope | undefined = undefined;
  tail: Envelope | undefined = undefined;
  /** How many messages wait. */
  waiting = 0;
  limit: number;
  handled = 0;
  restarts = 0;
  extras: CellExtras | undefined = undefined;
  #reference: Reference | undefined = undefined;

  constructor(node: ActorNode, id: number, definition: DefinedActor, args: unknown, parent: Cell | undefined) {
    this.node = node;
    this.id = id;
    this.definition = definition;
    this.args = args;
    this.parent = parent;
    this.table = definition.receive;
    this.limit = node.mailboxLimit(definition);
  }

  get self(): AnyReference {
    return (this.#reference ??= new Reference(this.node, this.node.life, this.id, this.definition.kind, this));
  }

  get label(): string {
    return this.extras?.name ?? `${this.definition.kind}-${idLabel(this.id)}`;
  }

  get sender(): AnyReference | undefined {
    return this.#handling()?.sender;
  }

  /** Has it go by another reference than that of its life: an entity is addressed by its key. */
  addressAs(reference: Reference): void {
    this.#reference = reference;
  }

  /** True if it can take a message, and has one or an end to be told of. */
  get hasWork(): boolean {
    if ((this.flags & blocked) !== 0) return false;
    return this.head !== undefined || (this.flags & (cellFlag.control | cellFlag.starting)) !== 0;
  }

  more(): CellExtras {
    return (this.extras ??= new CellExtras());
  }

  append(envelope: Envelope): void {
    if (this.tail === undefined) this.head = envelope;
    else this.tail.next = envelope;
    this.tail = envelope;
    this.waiting++;
  }

  prepend(envelopes: readonly Envelope[]): void {
    for (let index = envelopes.length - 1; index >= 0; index--) {
      const envelope = envelopes[index];
      if (envelope === undefined) continue;
      envelope.next = this.head;
      this.head = envelope;
      this.tail ??= envelope;
      this.waiting++;
    }
  }

  take(): Envelope | undefined {
    const envelope = this.head;
    if (envelope === undefined) return undefined;
    this.head = envelope.next;
    if (this.head === undefined) this.tail = undefined;
    envelope.next = undefined;
    this.waiting--;
    return envelope;
  }

  now(): number {
    return this.node.clock.now();
  }

  random(): number {
    return (this.more().random ??= this.node.randomOf(this))();
  }

  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P> {
    const [args, options] = rest as [unknown, SpawnOptions?];
    return this.node.spawn(definedActor(definition), args, options, this) as ActorReference<P>;
  }

  entity<P>(definition: EntityDefinition<P>, key: string): ActorReference<P> {
    return this.node.entity(definedActor(definition), key) as ActorReference<P>;
  }

  stop(actor?: AnyReference, options?: StopOptions): void {
    if (actor === undefined && options === undefined) this.node.lifecycle.stop(this);
    else this.node.stop(actor ?? this.self, options);
  }

  watch(actor: AnyReference): void {
    checkReference(`ctx.watch of ${this.label}`, actor);
    if (this.definition.watched === undefined) {
      throw new QStreamError("ACTOR_INVALID", `${this.label} watches ${actor.label}, but has no \`watched\``, {
        advice: "Give its definition one: actor({ init, receive, watched(state, { actor, reason }, ctx) {} })",
      });
    }
    this.node.watches.watch(this, actor);
  }

  unwatch(actor: AnyReference): void {
    this.node.watches.unwatch(this, actor);
  }

  after(delayMs: number, name: string, payload?: unknown): ActorTimer {
    return this.node.timers.set(this, { delayMs, name, payload, repeats: false });
  }

  every(periodMs: number, name: string, payload?: unknown): ActorTimer {
    return this.node.timers.set(this, { delayMs: periodMs, name, payload, repeats: true });
  }

  cancel(timer: ActorTimer): boolean {
    return this.node.timers.cancel(this, timer);
  }

  become(mode?: string): void {
    const table = mode === undefined ? this.definition.receive : this.definition.modes.get(mode);
    if (table === undefined) {
      const known = [...this.definition.modes.keys()].join(", ");
      throw new QStreamError("ACTOR_INVALID", `${this.label} has no mode "${String(mode)}"`, {
        advice: known === "" ? "Give its definition `modes`" : `Its modes are: ${known}`,
      });
    }
    this.table = table;
    if (mode !== undefined || this.extras !== undefined) this.more().mode = mode;
  }

  stash(): void {
    const envelope = this.#handled("stash");
    const extras = this.more();
    if (extras.asideAt === this.handled) return;
    const stash = (extras.stash ??= []);
    if (stash.length >= this.limit) {
      throw new QStreamError(
        "LIMIT_EXCEEDED",
        `${this.label} has put ${stash.length} messages aside, its mailbox's limit`,
        {
          advice: "Unstash or refuse some, or give it a larger mailbox",
        },
      );
    }
    stash.push(envelope);
    extras.asideAt = this.handled;
  }

  unstash(): void {
    const stash = this.extras?.stash;
    if (stash === undefined || stash.length === 0) return;
    this.prepend(stash.splice(0));
    this.node.wake(this);
  }

  deferred<T>(): Deferred<T> {
    const { reply, name } = this.#handled("deferred");
    reply?.deferred?.();
    // That of a timer is for nobody.
    if (reply === undefined || reply.deferred !== undefined) return new DeferredReply<T>(reply);
    const promised = (this.more().promised ??= new PromisedAnswers());
    promised.add(reply, name);
    return new DeferredReply<T>(reply, promised);
  }

  forward(actor: AnyReference): void {
    checkReference(`ctx.forward of ${this.label}`, actor);
    const envelope = this.#handled("forward");
    const extras = this.more();
    if (extras.asideAt === this.handled) return;
    this.node.forward(actor, envelope, this);
    extras.asideAt = this.handled;
  }

  /** Hands the message that is handled to several; who asked is answered with the list of their answers. */
  forwardToAll(actors: readonly AnyReference[]): void {
    const { name, payload, sender, reply } = this.#handled("forward");
    const gathering = reply === undefined ? undefined : new Gathering(reply, actors.length);
    actors.forEach((actor, index) => {
      this.node.forward(actor, new Envelope(name, payload, sender, gathering?.part(index)), this);
    });
    this.more().asideAt = this.handled;
  }

  refuse(error: Error): never {
    throw new Refusal(error);
  }

  find(name: string): Promise<AnyReference | undefined> {
    return this.node.names.find(name);
  }

  subscribe(topic: string, name: string): void {
    this.node.topics.subscribe(this, topic, name);
  }

  unsubscribe(topic: string): void {
    this.node.topics.unsubscribe(this, topic);
  }

  publish(topic: string, payload: unknown): void {
    this.node.topics.publish(topic, payload, this);
  }

  count(name: string, amount = 1): void {
    this.node.metrics.count(name, amount);
  }

  /** The message that is handled, for what there has to be one for. */
  #handled(method: string): Envelope {
    const envelope = this.#handling();
    if (envelope !== undefined) return envelope;
    throw new QStreamError("ACTOR_INVALID", `${this.label} calls ctx.${method}() while it handles no message`, {
      advice: "Call it in a handler of a message, not in `init`, `watched` or `stopped`",
    });
  }

  #handling(): Envelope | undefined {
    return this.extras?.handling ?? this.node.handling(this);
  }
}
