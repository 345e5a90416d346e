import type { DefinedActor } from "../../../lib/core/actor-definition.ts";
import type { AnyReference, Ended, SpawnOptions, StopOptions } from "../../../lib/core/contracts/actor.ts";
import { errorToData, QStreamError } from "../../../lib/core/errors.ts";
import type { Payload } from "../../../lib/core/payload.ts";
import type { SlotPlace } from "../../../lib/core/placement-strategy.ts";
import type { Clock } from "../../../lib/core/seam/clock.ts";
import type { Cell } from "../cell.ts";
import { EntityReference } from "../entities.ts";
import { Envelope, type ReplyTo } from "../envelope.ts";
import type { ActorNode } from "../node.ts";
import type { DistantActors } from "../node-parts.ts";
import { firstDistantId, Reference } from "../reference.ts";
import { Arrivals } from "./arrivals.ts";
import { DistantAsks, lostError } from "./distant-asks.ts";
import { DistantFamilies } from "./distant-families.ts";
import { DistantNames } from "./distant-names.ts";
import type { DistantTopics } from "./distant-topics.ts";
import { DistantWatching } from "./distant-watching.ts";
import { FullMailboxes } from "./full-mailboxes.ts";
import type { HostPlace, Hosts } from "./hosts.ts";
import { rowKind } from "./message-rows.ts";
import type { NodeLink, NodeMessages, NodeService } from "./node-link.ts";
import type { Credit } from "./outgoing.ts";
import { nameOf, type Binder } from "./reference-codec.ts";
import { Routes } from "./routes.ts";
import { UnsentRows } from "./unsent-rows.ts";

export interface DistantParts {
  readonly life: number;
  readonly clock: Clock;
  readonly hosts: Hosts;
  /** Life of the node that isn't a host: that of who started the system. */
  readonly clientLife: number;
  readonly link: NodeLink;
  /** By the names that their module gave them. */
  readonly definitions: ReadonlyMap<string, DefinedActor>;
  /** False for a node that takes over from one that was lost: others have to hear of it first. */
  readonly isFirst: boolean;
  /** What may be on its way between two nodes, which is the same for all of a system. */
  readonly credit?: Credit;
  /** More that other nodes may want of this one. */
  readonly services: Readonly<Record<string, NodeService>>;
}

/** The actors of other slots as those of one slot reach them: what is said to another node is gathered, and goes in batches. */
export class DistantNode implements DistantActors, Binder, NodeMessages {
  readonly life: number;
  readonly #parts: DistantParts;
  readonly #routes: Routes;
  readonly asks: DistantAsks;
  readonly watching: DistantWatching;
  readonly families: DistantFamilies;
  readonly full: FullMailboxes;
  readonly names: DistantNames;
  #topics: DistantTopics | undefined;
  #node: ActorNode | undefined;
  #services: Readonly<Record<string, NodeService>> = {};
  #made = 0;
  readonly #arrivals: Arrivals;

  constructor(parts: DistantParts) {
    this.#parts = parts;
    this.life = parts.life;
    const kept = (ask: number, channel: number): boolean => this.asks.goesTo(ask, lifeToCome(channel));
    this.#routes = new Routes(
      parts,
      new UnsentRows(this, { kept, refuse: (name, ask, error) => this.#refuseLater(name, ask, error) }),
    );
    this.asks = new DistantAsks({
      answer: (life, name, ask, value) => this.#routes.control(life, rowKind.answer, name, ask, value),
      refuse: (life, name, ask, error) => this.#routes.control(life, rowKind.refusal, name, ask, error),
      cancel: (life, ask) => this.tellNode(life, "cancel-ask", ask, true),
    });
    this.watching = new DistantWatching(this, parts.hosts);
    this.families = new DistantFamilies(this, parts.definitions);
    this.full = new FullMailboxes(this, parts.clock);
    this.#arrivals = new Arrivals(this, this.#routes, parts.hosts, parts.clock);
    this.names = new DistantNames(this, this.families.claimants);
  }

  /** The node whose actors these are. */
  get node(): ActorNode {
    if (this.#node === undefined) throw new QStreamError("INTERNAL", "a node of actors isn't joined to others yet");
    return this.#node;
  }

  /** Messages of nodes that are lost. */
  get staleMessages(): number {
    return this.#arrivals.staleMessages;
  }

  get hosts(): readonly HostPlace[] {
    return this.#parts.hosts.all;
  }

  join(node: ActorNode, topics: DistantTopics): void {
    this.#node = node;
    this.#topics = topics;
    this.#services = {
      ...this.#parts.services,
      ...this.watching.services,
      ...this.families.services,
      ...this.full.services,
      ...this.names.services,
      ...topics.services,
      "cancel-ask": (ask: number, from) => this.asks.cancelled(from, ask),
    };
  }

  /** Takes turns, and then sends what came of them. */
  turns(most: number): boolean {
    return this.#routes.gathering(() => this.node.takeTurns(most));
  }

  tell(to: Reference, name: string, payload: unknown, from: Cell | undefined, sender = from?.self): void {
    if (to instanceof EntityReference) {
      this.#sendToEntity(to, new Envelope(name, payload, sender, undefined), from);
      return;
    }
    const way = this.#routes.way(to.life, from);
    if (way === undefined) {
      this.#unreachable(to, new Envelope(name, payload, sender, undefined));
      return;
    }
    this.full.check(to, from);
    way.bulk.push(rowKind.tell, name, to.id, to, payload, sender as Reference | undefined, 0);
    this.#routes.touch(way);
  }

  ask(
    to: Reference,
    name: string,
    payload: unknown,
    from: Cell | undefined,
    reply: ReplyTo,
    sender = from?.self,
  ): void {
    if (to instanceof EntityReference) {
      this.#sendToEntity(to, new Envelope(name, payload, sender, reply), from);
      return;
    }
    const way = this.#routes.way(to.life, from);
    if (way === undefined) {
      this.#unreachable(to, new Envelope(name, payload, sender, reply));
      return;
    }
    this.full.check(to, from);
    const ask = this.asks.open(reply, to.life, to);
    way.bulk.push(rowKind.ask, name, to.id, to, payload, sender as Reference | undefined, ask);
    this.#routes.touch(way);
  }

  checkEntity(definition: DefinedActor): void {
    nameOf(definition);
  }

  #unreachable(to: Reference, envelope: Envelope): void {
    // One of this node may have come to be known only after the reference was decoded.
    if (to.life === this.life) this.#arrivals.deliver(to.id, envelope, this.life);
    else this.node.deadLetter(to.label, envelope, this.#routes.isLost(to.life) ? "lost" : "unknown-actor");
  }

  #sendToEntity(to: EntityReference, { name, payload, sender, reply }: Envelope, from: Cell | undefined): void {
    nameOf(to.definition);
    const channel = this.#parts.hosts.homeOf(to.key);
    const life = this.#parts.hosts.lifeOf(channel);
    this.full.check(to, from);
    const way = life === undefined ? undefined : this.#routes.way(life, from);
    const rows = way === undefined ? this.#routes.homeless(channel, from) : way.bulk;
    const ask = reply === undefined ? 0 : this.asks.open(reply, life ?? lifeToCome(channel), to);
    const kind = reply === undefined ? rowKind.entityTell : rowKind.entityAsk;
    rows.push(kind, name, 0, to, payload, sender as Reference | undefined, ask);
    if (way !== undefined) this.#routes.touch(way);
  }

  stop(actor: Reference, options?: StopOptions): void {
    const life = this.watching.lifeOf(actor);
    // One that others start here may be to come.
    if (life !== undefined) this.tellNode(life, "stop", { actor, options }, true);
  }

  watch(watcher: Reference, actor: Reference): void {
    this.watching.watch(watcher, actor);
  }

  unwatch(watcher: Reference, actor: Reference): void {
    this.watching.unwatch(watcher, actor);
  }

  tellEnd(watcher: Reference, ended: Ended): void {
    this.watching.tellEnd(watcher, ended);
  }

  spawn(
    definition: DefinedActor,
    args: unknown,
    options: SpawnOptions,
    parent: Cell | undefined,
  ): AnyReference | undefined {
    const life = this.#placeOf(options);
    if (life === this.life) return undefined;
    const reference = new Reference(
      this.node,
      life,
      firstDistantId(this.life) + ++this.#made,
      definition.kind,
      undefined,
    );
    this.families.spawn(reference, definition, args, options, parent);
    return reference;
  }

  #placeOf({ place = { kind: "spread", channels: 1 } }: SpawnOptions): number {
    if (place.kind === "client") return this.#parts.clientLife;
    if (place.kind === "near" && place.actor instanceof Reference) {
      const { life } = place.actor;
      if (life === this.life || life === this.#parts.clientLife) return life;
    }
    return this.#parts.hosts.choose(place);
  }

  ended(cell: Cell): void {
    this.watching.ended(cell);
    this.families.ended(cell);
  }

  restarted(cell: Cell): void {
    this.families.endChildren(cell);
  }

  escalated(cell: Cell, error: Error): void {
    this.families.escalate(cell, error);
  }

  canReach(life: number): boolean {
    return this.#routes.canReach(life);
  }

  refer(life: number, id: number, kind: string): Reference {
    const self = life === this.life ? this.node.known(id)?.self : undefined;
    return (self as Reference | undefined) ?? new Reference(this.node, life, id, kind, undefined);
  }

  entity(kind: string, key: string): EntityReference {
    const definition = this.#parts.definitions.get(kind);
    if (definition !== undefined) return this.node.entities.reference(definition, key);
    throw new QStreamError("FRAME_INVALID", `no definition is called "${kind}"`);
  }

  isAtHome(key: string): boolean {
    const { hosts } = this.#parts;
    return hosts.lifeOf(hosts.homeOf(key)) === this.life;
  }

  tellNode(life: number, name: string, payload: unknown, isOrdered: boolean): void {
    if (life === this.life) void this.serve(name, payload, life);
    else this.#routes.node(life, name, payload, isOrdered);
  }

  offerNode(life: number, name: string, payload: unknown): boolean {
    if (life !== this.life && this.#routes.isFull(life)) return false;
    this.tellNode(life, name, payload, true);
    return true;
  }

  askNode(life: number, name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    if (life === this.life) return Promise.resolve(this.serve(name, payload, life));
    if (!this.#routes.canReach(life)) return Promise.reject(lostError("its node"));
    return this.#asking(timeoutMs, name, life, (ask) => this.#routes.askNode(life, name, payload, ask));
  }

  tellHome(key: string, name: string, payload: unknown): void {
    const channel = this.#parts.hosts.homeOf(key);
    const life = this.#parts.hosts.lifeOf(channel);
    if (life !== undefined) this.tellNode(life, name, payload, true);
    else this.#routes.homelessNode(channel, name, payload);
  }

  offerHome(key: string, name: string, payload: unknown): boolean {
    const channel = this.#parts.hosts.homeOf(key);
    const life = this.#parts.hosts.lifeOf(channel);
    if (life !== undefined) return this.offerNode(life, name, payload);
    if (this.#routes.isHomelessFull(channel)) return false;
    this.#routes.homelessNode(channel, name, payload);
    return true;
  }

  unsent(to: string, name: string): void {
    this.node.deadLetter(to, new Envelope(name, undefined, undefined, undefined), "mailbox-full");
  }

  askHome(key: string, name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    const channel = this.#parts.hosts.homeOf(key);
    const life = this.#parts.hosts.lifeOf(channel);
    if (life !== undefined) return this.askNode(life, name, payload, timeoutMs);
    return this.#asking(timeoutMs, name, lifeToCome(channel), (ask) => {
      this.#routes.homelessNode(channel, name, payload, ask);
    });
  }

  #asking(timeoutMs: number, name: string, life: number, begin: (ask: number) => void): Promise<unknown> {
    const question = this.node.question(name, { label: "its home" }, { timeoutMs });
    begin(this.asks.open(question, life, { label: `"${name}"` }));
    return question.answered;
  }

  /** A batch came from another node. */
  receive(from: number, payload: Payload, isBulk: boolean): void {
    this.#arrivals.receive(from, payload, isBulk);
  }

  /** Does what another node asks of this one. */
  serve(name: string, payload: unknown, from: number): unknown {
    const service = this.#services[name];
    if (service === undefined) throw new QStreamError("FRAME_INVALID", `no node knows what "${name}" means`);
    return service(payload as never, from);
  }

  granted(life: number, rows: number, bytes: number): void {
    this.#routes.granted(life, rows, bytes);
  }

  /** Another node says that it is there. */
  greeted(life: number, isAnswer: boolean): void {
    if (this.#routes.isLost(life)) return;
    this.#routes.opened(life);
    if (!isAnswer) this.#parts.link.greet(life, true);
  }

  /** Makes itself known to all others. */
  greetAll(): void {
    for (const { life } of this.#parts.hosts.all) {
      if (life !== undefined && life !== this.life) this.#parts.link.greet(life, false);
    }
    if (this.life !== this.#parts.clientLife) this.#parts.link.greet(this.#parts.clientLife, false);
  }

  /** Nodes are lost: nobody there says or hears anything any more. */
  lost(lives: readonly number[]): void {
    for (const life of lives) {
      if (life === this.life) continue;
      const channel = this.#parts.hosts.lost(life);
      this.#routes.lost(life, channel);
      this.asks.lost(life);
      this.node.watches.lost(life);
      this.watching.lost(life, channel);
      this.families.lost(life);
      this.full.lost(life);
      this.names.lost(life);
      this.#topics?.lost(life);
    }
  }

  /** The slots that there are: others may have joined since the node was made. */
  knowSlots(slots: readonly SlotPlace[]): void {
    this.#parts.hosts.knowSlots(slots);
  }

  /** A host has another life. */
  placed(channel: number, life: number, slot: string): void {
    if (this.#parts.hosts.lifeOf(channel) === life) return;
    const before = this.#parts.hosts.lifeOf(channel);
    if (before !== undefined) this.lost([before]);
    this.#parts.hosts.placed(channel, life, slot);
    const isAtHomeThere = (key: string): boolean => this.#parts.hosts.homeOf(key) === channel;
    this.names.claimAgain(isAtHomeThere);
    this.#topics?.subscribeAgain(isAtHomeThere);
    this.#routes.found(channel, life);
    this.asks.moved(lifeToCome(channel), life);
  }

  /** Who asked is told that the answer can't travel. */
  #refuseLater(name: string, ask: number, error: Error): void {
    const life = this.#routes.sending;
    this.#parts.clock.soon(() => this.#routes.control(life, rowKind.refusal, name, ask, errorToData(error)));
  }

  flush(): void {
    this.#routes.flush();
  }

  close(error: Error): void {
    this.asks.close(error);
    this.#routes.close();
    this.full.close();
  }
}

/** Stands for the life that a host will have. */
function lifeToCome(channel: number): number {
  return -1 - channel;
}
