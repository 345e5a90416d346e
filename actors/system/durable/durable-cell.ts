import { definedActor, type DefinedActor } from "../../../lib/core/actor-definition.ts";
import type { ClaimedActor } from "../../../lib/core/contracts/actor-journal.ts";
import type {
  ActorDefinition,
  ActorReference,
  ActorTimer,
  AnyReference,
  Deferred,
  SpawnRest,
  StopOptions,
} from "../../../lib/core/contracts/actor.ts";
import { assertTravels } from "../../../lib/core/codec/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { checkStopOrder } from "../stop-order.ts";
import { noHandlerFor } from "../topics.ts";
import { Cell, cellFlag } from "../cell.ts";
import { EntityReference } from "../entities.ts";
import type { Envelope, ReplyTo } from "../envelope.ts";
import type { Reference } from "../reference.ts";
import type { ActorNode } from "../node.ts";
import type { CellEntry } from "./cell-entry.ts";
import type { DurableActors } from "./durable-actors.ts";
import { durableName, NumberedEnvelope, type AgainEnvelope } from "./durable-envelopes.ts";
import { Act, Tell } from "./effects.ts";
import { hasHandler } from "./kept-timers.ts";
import { KeptState } from "./kept-state.ts";
import { noTransition, notDurable } from "./refusals.ts";
import type { Transition } from "./transition.ts";

const stashMax = 10_000;
const unacknowledgedMax = 1_000_000;
const timersMax = 10_000;

/**
 * A durable actor in its slot. What its handlers do to others is gathered by the transition that runs, and leaves when that is logged.
 */
export class DurableCell extends Cell {
  readonly keeper: DurableActors;
  /** The definition as the user wrote it; the cell's own one has the handlers that log. */
  readonly source: DefinedActor;
  /** What it is called in logs. */
  keptName = "";
  kept = new KeptState();
  /** What runs now. */
  transition: Transition | undefined = undefined;
  generation = 0;
  /** Transitions that aren't durable yet. */
  pending = 0;
  /** Transitions since the last snapshot. */
  sinceSnapshot = 0;
  /** The journal has been told that it has something to do by itself. */
  isAwake = false;
  isLost = false;
  /** It has the state that its actor has by its log. */
  isLoaded = false;
  /** What it has sent is known here: memory wasn't lost since its last life. */
  hasOutbox = false;
  /** By durable senders, the last number that waits in the mailbox. */
  readonly accepted = new Map<string, number>();
  /** What is written for it next. */
  entry: CellEntry | undefined = undefined;
  /** The next one of `kept.again`, where it is in the mailbox. */
  queuedAgain: AgainEnvelope | undefined = undefined;
  /** Who waits for the answers to what was put aside, by transitions. */
  replies: Map<number, ReplyTo> | undefined = undefined;
  /** Entries that aren't written. */
  unwritten = 0;
  /** Told when all are. */
  settled: (() => void)[] = [];

  constructor(node: ActorNode, id: number, definition: DefinedActor, args: unknown, keeper: DurableActors) {
    super(node, id, definition, args, node.root);
    this.flags |= cellFlag.durable;
    this.keeper = keeper;
    this.source = keeper.definitions.sourceOf(definition);
  }

  override addressAs(reference: EntityReference): void {
    super.addressAs(reference);
    this.keptName = durableName(reference);
  }

  get reference(): EntityReference {
    return this.self as EntityReference;
  }

  override get sender(): AnyReference | undefined {
    return this.transition?.sender;
  }

  claimed({ generation, isAwake }: ClaimedActor): void {
    this.generation = generation;
    this.isAwake = isAwake;
  }

  /** Takes what its handler sends. False where none runs: then it is sent as by anybody. */
  send(to: Reference, name: string, payload: unknown): boolean {
    const { transition } = this;
    if (transition === undefined) return false;
    if (to instanceof EntityReference && this.keeper.definitions.mayBeDurable(to.definition)) {
      checkPayload(payload, transition);
      if (this.keeper.mail.sizeOf(this.keptName) + transition.sent >= unacknowledgedMax) {
        throw limit(this.label, `has ${unacknowledgedMax} messages on their way`, "Send slower, or wait for answers");
      }
      transition.send(to, name, payload);
    } else transition.add(new Tell(to, name, payload));
    return true;
  }

  override now(): number {
    const transition = this.#transition("now");
    return (transition.now ??= this.node.clock.now());
  }

  override random(): number {
    return this.#transition("random").draw(this.kept.seed);
  }

  override spawn<P, Args>(definition: ActorDefinition<P, Args>, ..._rest: SpawnRest<Args>): ActorReference<P> {
    const advice =
      "Address an entity, ctx.entity(kind, key), which begins with its first message; or let an actor that isn't durable start it";
    throw notDurable(this.label, `starts a ${definedActor(definition).kind}`, advice);
  }

  override stop(actor?: AnyReference, options?: StopOptions): void {
    const transition = this.#transition("stop");
    if (actor !== undefined || options !== undefined) checkStopOrder(actor ?? this.self, options);
    transition.add(new Act(() => super.stop(actor, options)));
  }

  override watch(actor: AnyReference): void {
    throw notDurable(
      this.label,
      `watches ${actor.label}`,
      "Let an actor that isn't durable watch it, and tell this one",
    );
  }

  override unwatch(): void {}

  override after(delayMs: number, name: string, payload?: unknown): ActorTimer {
    return this.#setTimer(delayMs, name, payload, undefined);
  }

  override every(periodMs: number, name: string, payload?: unknown): ActorTimer {
    return this.#setTimer(periodMs, name, payload, periodMs);
  }

  override cancel(timer: ActorTimer): boolean {
    const transition = this.#transition("cancel");
    if (!this.kept.timers.delete(timer)) return false;
    transition.add(new Act(() => this.keeper.timers.cancel(this, timer)));
    return true;
  }

  override become(mode?: string): void {
    this.#transition("become");
    if (mode !== undefined && !this.source.modes.has(mode)) {
      const known = [...this.source.modes.keys()].join(", ");
      throw new QStreamError("ACTOR_INVALID", `${this.label} has no mode "${mode}"`, {
        advice: known === "" ? "Give its definition `modes`" : `Its modes are: ${known}`,
      });
    }
    this.kept.mode = mode;
  }

  override stash(): void {
    const transition = this.#transition("stash");
    if (transition.isAside) return;
    if (this.kept.stash.length >= stashMax) {
      throw limit(this.label, `has put ${stashMax} messages aside`, "Unstash or refuse some");
    }
    this.keeper.transitions.putAside(this, transition);
  }

  override unstash(): void {
    this.#transition("unstash");
    this.kept.again.push(...this.kept.stash.splice(0));
  }

  override deferred<T>(): Deferred<T> {
    throw notDurable(this.label, "promises an answer for later", "Let who asks be told: sender.tell(...)");
  }

  override forward(actor: AnyReference): void {
    throw notDurable(
      this.label,
      `hands a message on to ${actor.label}`,
      "Tell it, with a reference to who is to be told",
    );
  }

  override find(name: string): Promise<AnyReference | undefined> {
    throw notDurable(this.label, `looks for "${name}"`, "Address an entity: ctx.entity(kind, key)");
  }

  override subscribe(topic: string, name: string): void {
    const transition = this.#transition("subscribe");
    if (!hasHandler(this.source, name)) throw noHandlerFor(this.label, this.source, topic, name);
    this.kept.topics.set(topic, name);
    transition.add(new Act(() => super.subscribe(topic, name)));
  }

  override unsubscribe(topic: string): void {
    const transition = this.#transition("unsubscribe");
    this.kept.topics.delete(topic);
    transition.add(new Act(() => super.unsubscribe(topic)));
  }

  override publish(topic: string, payload: unknown): void {
    this.#transition("publish").add(new Act(() => super.publish(topic, payload)));
  }

  override count(name: string, amount = 1): void {
    if (this.transition?.isReplay !== true) super.count(name, amount);
  }

  /** What waits in its mailbox. */
  *mailbox(): Generator<Envelope> {
    for (let envelope = this.head; envelope !== undefined; envelope = envelope.next) yield envelope;
  }

  /** Takes messages of durable actors out of its mailbox, which send them again. True if there were some. */
  dropNumbered(): boolean {
    const all: Envelope[] = [];
    for (let envelope = this.take(); envelope !== undefined; envelope = this.take()) all.push(envelope);
    const others = all.filter((envelope) => !(envelope instanceof NumberedEnvelope));
    for (const envelope of others) this.append(envelope);
    this.accepted.clear();
    return others.length < all.length;
  }

  /** Gets again what it was subscribed to before a loss. A program that has changed may have no handler for it any more. */
  resubscribe(): void {
    for (const [topic, name] of this.kept.topics) {
      if (hasHandler(this.source, name)) super.subscribe(topic, name);
      else {
        const error = noHandlerFor(this.label, this.source, topic, name);
        this.node.event({ kind: "actor-failed", actor: this.label, message: undefined, error, action: "resume" });
      }
    }
  }

  #setTimer(delayMs: number, name: string, payload: unknown, periodMs: number | undefined): ActorTimer {
    const transition = this.#transition(periodMs === undefined ? "after" : "every");
    this.keeper.timers.check(this, { delayMs, name, repeats: periodMs !== undefined });
    if (this.kept.timers.size >= timersMax) {
      throw limit(this.label, `has ${timersMax} timers pending`, "Cancel some, or keep what is due in the state");
    }
    checkPayload(payload, transition);
    const id = ++this.kept.timerCount;
    const timer = { id, name, payload, dueAt: this.now() + delayMs, periodMs };
    this.kept.timers.set(id, timer);
    transition.add(new Act(() => this.keeper.timers.start(this, id)));
    return id;
  }

  #transition(method: string): Transition {
    if (this.transition !== undefined) return this.transition;
    throw noTransition(this.label, method);
  }
}

/** What can't be kept is refused while who sends it can be told. */
function checkPayload(payload: unknown, { isReplay }: Transition): void {
  if (isReplay || payload === null) return;
  const type = typeof payload;
  if (type === "object" || type === "function" || type === "symbol") assertTravels(payload);
}

function limit(label: string, what: string, advice: string): QStreamError {
  return new QStreamError("LIMIT_EXCEEDED", `${label} ${what}`, { advice });
}
