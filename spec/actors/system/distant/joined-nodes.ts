import { DistantNode } from "../../../../actors/system/distant/distant-node.ts";
import { DistantTopics } from "../../../../actors/system/distant/distant-topics.ts";
import { Hosts } from "../../../../actors/system/distant/hosts.ts";
import type { NodeLink } from "../../../../actors/system/distant/node-link.ts";
import type { Credit } from "../../../../actors/system/distant/outgoing.ts";
import { known } from "../../../../actors/system/distant/reference-codec.ts";
import { ActorNode } from "../../../../actors/system/node.ts";
import type { ActorEvent } from "../../../../actors/system/node-parts.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import { definedActor, type DefinedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorDefinition, ActorReference, SpawnOptions, SpawnRest } from "../../../../lib/core/contracts/actor.ts";
import type { Clock } from "../../../../lib/core/seam/clock.ts";
import { StandingNodes } from "../../../kit/actor-node.ts";

const turnsMost = 10_000;

/** A node that is joined to others. */
export interface JoinedNode {
  readonly node: ActorNode;
  readonly distant: DistantNode;
  readonly topics: DistantTopics;
  readonly events: ActorEvent[];
  /** Nothing of it goes off any more. */
  readonly end: () => void;
}

export interface JoinedOptions {
  /** One more node, which is no host: that of who started the system. */
  readonly hasClient?: boolean;
  /** How long a batch is on its way, in milliseconds. No batch overtakes another one of its way. */
  readonly delayMs?: () => number;
  readonly credit?: Credit;
}

interface Host {
  readonly life: number;
  readonly slot: string;
}

/** What goes from one node to another. */
interface Way {
  /** When the last one arrives. */
  lastMs: number;
  /** What was sent against credit that hasn't come back. */
  rows: number;
  bytes: number;
}

/** A clock as one node has it, whose timers end with it. */
class LifeClock implements Clock {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, callback: () => void): () => void {
    const end = this.#clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    const cancel = (): void => {
      this.#cancels.delete(cancel);
      end();
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  soon(callback: () => void): void {
    this.after(0, callback);
  }

  end(): void {
    for (const cancel of this.#cancels) cancel();
  }
}

/** The nodes of one system in one thread. What they say to each other arrives in order. */
export class JoinedNodes extends StandingNodes {
  readonly clientLife: number;
  readonly #nodes = new Map<number, JoinedNode>();
  readonly #ways = new Map<string, Way>();
  readonly #options: JoinedOptions;
  readonly #definitions: ReadonlyMap<string, DefinedActor>;

  /** @param kinds - definitions by the names that their module gives them */
  constructor(
    count: number,
    kinds: Readonly<Record<string, ActorDefinition<never, never>>>,
    options: JoinedOptions = {},
  ) {
    super();
    this.#options = options;
    this.#definitions = new Map(Object.entries(kinds).map(([name, kind]) => [name, definedActor(kind)]));
    for (const [name, definition] of this.#definitions) definition.registered = name;
    const hosts = Array.from({ length: count }, (_, life) => ({ life, slot: `slot-${life}` }));
    this.clientLife = options.hasClient === true ? count : 0;
    for (const { life } of hosts) this.#nodes.set(life, this.#make(life, hosts, true));
    if (options.hasClient === true) this.#nodes.set(count, this.#make(count, hosts, true));
  }

  get lives(): number[] {
    return [...this.#nodes.keys()];
  }

  /** The node of a life that isn't lost. */
  at(life: number): JoinedNode {
    const joined = this.#nodes.get(life);
    if (joined === undefined) throw new Error(`node ${life} is lost`);
    return joined;
  }

  spawn<P, Args>(life: number, definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P> {
    const [args, options] = rest as [unknown, SpawnOptions?];
    return this.at(life).node.spawn(definedActor(definition), args, options) as ActorReference<P>;
  }

  /** An actor of one node as another one knows it. */
  seenFrom<P>(life: number, actor: ActorReference<P>): ActorReference<P> {
    const { life: home, id, kind } = known(actor as unknown as Reference);
    return this.at(life).distant.refer(home, id, kind) as unknown as ActorReference<P>;
  }

  /** A node is gone, and nobody has heard of it yet. What it has sent arrives. */
  drop(life: number): void {
    this.at(life).end();
    this.#nodes.delete(life);
  }

  /** Loses a node, of which the others hear at once. */
  lose(life: number): void {
    this.drop(life);
    for (const { distant } of this.#nodes.values()) distant.lost([life]);
  }

  /** A node takes over from one that was lost. */
  replace(life: number, hosts: readonly Host[]): void {
    const joined = this.#make(life, hosts, false);
    this.#nodes.set(life, joined);
    joined.distant.greetAll();
  }

  /** Messages and bytes that went from one node to another and whose credit hasn't come back. */
  spent(from: number, to: number): Credit {
    return this.#way(from, to);
  }

  protected get isBusy(): boolean {
    if (this.clock.isDue) return true;
    for (const { node } of this.#nodes.values()) if (node.isBusy) return true;
    return false;
  }

  protected takeTurns(): void {
    for (const { distant } of this.#nodes.values()) distant.turns(turnsMost);
    while (this.clock.isDue) this.clock.next(this.clock.monotonic());
  }

  #make(life: number, hosts: readonly Host[], isFirst: boolean): JoinedNode {
    const clock = new LifeClock(this.clock);
    const { credit } = this.#options;
    const events: ActorEvent[] = [];
    const distant = new DistantNode({
      life,
      clock,
      hosts: new Hosts(hosts, []),
      clientLife: this.clientLife,
      link: this.#link(life),
      definitions: this.#definitions,
      isFirst,
      services: {},
      ...(credit === undefined ? {} : { credit }),
    });
    let made: DistantTopics | undefined;
    const node = new ActorNode({
      life,
      clock,
      seed: life,
      schedule: () => {},
      event: (event) => void events.push(event),
      distant,
      names: distant.names,
      topics: (local) => (made = new DistantTopics(distant, local)),
      isHome: ({ key }) => distant.isAtHome(key),
    });
    const topics = made as unknown as DistantTopics;
    distant.join(node, topics);
    return { node, distant, topics, events, end: () => clock.end() };
  }

  #link(from: number): NodeLink {
    return {
      send: (to, _seq, payload, isBulk) => {
        if (isBulk) this.#spend(from, to, payload.rows, payload.bytes.byteLength);
        this.#say(from, to, ({ distant }) => distant.receive(from, payload, isBulk));
      },
      grant: (to, rows, bytes) => {
        this.#spend(to, from, -rows, -bytes);
        this.#say(from, to, ({ distant }) => distant.granted(from, rows, bytes));
      },
      greet: (to, isAnswer) => this.#say(from, to, ({ distant }) => distant.greeted(from, isAnswer)),
    };
  }

  #say(from: number, to: number, arrive: (joined: JoinedNode) => void): void {
    // What a handler of a node that is lost waited for may still come.
    if (!this.#nodes.has(from)) return;
    const way = this.#way(from, to);
    const now = this.clock.monotonic();
    way.lastMs = Math.max(way.lastMs, now + (this.#options.delayMs?.() ?? 0));
    this.clock.after(way.lastMs - now, () => {
      const joined = this.#nodes.get(to);
      if (joined !== undefined) arrive(joined);
    });
  }

  #spend(from: number, to: number, rows: number, bytes: number): void {
    const way = this.#way(from, to);
    way.rows += rows;
    way.bytes += bytes;
  }

  #way(from: number, to: number): Way {
    const key = `${from} ${to}`;
    let way = this.#ways.get(key);
    if (way === undefined) this.#ways.set(key, (way = { lastMs: 0, rows: 0, bytes: 0 }));
    return way;
  }
}
