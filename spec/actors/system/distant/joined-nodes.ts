import { setImmediate as breathe } from "node:timers/promises";
import { DistantNode } from "../../../../actors/system/distant/distant-node.ts";
import { DistantTopics } from "../../../../actors/system/distant/distant-topics.ts";
import { Hosts } from "../../../../actors/system/distant/hosts.ts";
import type { NodeLink } from "../../../../actors/system/distant/node-link.ts";
import { known } from "../../../../actors/system/distant/reference-codec.ts";
import { ActorNode } from "../../../../actors/system/node.ts";
import type { ActorEvent } from "../../../../actors/system/node-parts.ts";
import type { Reference } from "../../../../actors/system/reference.ts";
import { definedActor } from "../../../../lib/core/actor-definition.ts";
import type { ActorDefinition, ActorReference, SpawnOptions, SpawnRest } from "../../../../lib/core/contracts/actor.ts";
import { StandingClock } from "../../../kit/actor-node.ts";

const turnsMost = 10_000;

interface Arrival {
  readonly to: number;
  readonly arrive: (node: DistantNode) => void;
}

/** A node that is joined to others. */
export interface JoinedNode {
  readonly node: ActorNode;
  readonly distant: DistantNode;
  readonly events: ActorEvent[];
}

/** The nodes of one system in one thread. What they say to each other arrives in order, while `settle` runs. */
export class JoinedNodes {
  readonly clock = new StandingClock();
  readonly #nodes = new Map<number, JoinedNode>();
  readonly #way: Arrival[] = [];

  /** @param kinds - definitions by the names that their module gives them */
  constructor(count: number, kinds: Readonly<Record<string, ActorDefinition<never, never>>>) {
    const definitions = new Map(Object.entries(kinds).map(([name, kind]) => [name, definedActor(kind)]));
    for (const [name, definition] of definitions) definition.registered = name;
    const hosts = Array.from({ length: count }, (_, life) => ({ life, slot: `slot-${life}` }));
    for (const { life } of hosts) this.#nodes.set(life, this.#make(life, hosts, definitions));
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

  /** Loses a node, of which the others hear. */
  lose(life: number): void {
    this.#nodes.delete(life);
    for (const { distant } of this.#nodes.values()) distant.lost([life]);
  }

  /** Has everything done that is to be done, without time passing. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 3;) {
      const isBusy = this.#turn();
      idle = isBusy ? 0 : idle + 1;
      // oxlint-disable-next-line no-await-in-loop -- what was promised is next
      await breathe();
    }
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.monotonic() + ms;
    await this.settle();
    // oxlint-disable-next-line no-await-in-loop -- in order
    while (this.clock.next(untilMs)) await this.settle();
  }

  /** What is answered, once all is settled. */
  async answer<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => {});
    await this.settle();
    return answer;
  }

  #turn(): boolean {
    let isBusy = false;
    for (const { node, distant } of this.#nodes.values()) {
      isBusy ||= node.isBusy;
      distant.turns(turnsMost);
    }
    while (this.clock.next(this.clock.monotonic())) isBusy = true;
    for (const { to, arrive } of this.#way.splice(0)) {
      isBusy = true;
      const joined = this.#nodes.get(to);
      if (joined !== undefined) arrive(joined.distant);
    }
    return isBusy;
  }

  #make(
    life: number,
    hosts: readonly { readonly life: number; readonly slot: string }[],
    definitions: ReadonlyMap<string, ReturnType<typeof definedActor>>,
  ): JoinedNode {
    const { clock } = this;
    const events: ActorEvent[] = [];
    const distant = new DistantNode({
      life,
      clock,
      hosts: new Hosts(hosts, []),
      clientLife: hosts[0]?.life ?? 0,
      link: this.#link(life),
      definitions,
      isFirst: true,
      services: {},
    });
    let topics: DistantTopics | undefined;
    const node = new ActorNode({
      life,
      clock,
      seed: life,
      schedule: () => {},
      event: (event) => void events.push(event),
      distant,
      names: distant.names,
      topics: (local) => (topics = new DistantTopics(distant, local)),
      isHome: ({ key }) => distant.isAtHome(key),
    });
    distant.join(node, topics as unknown as DistantTopics);
    return { node, distant, events };
  }

  #link(from: number): NodeLink {
    const say = (to: number, arrive: (node: DistantNode) => void): void => void this.#way.push({ to, arrive });
    return {
      send: (life, _seq, payload, isBulk) => say(life, (node) => node.receive(from, payload, isBulk)),
      grant: (life, rows, bytes) => say(life, (node) => node.granted(from, rows, bytes)),
      greet: (life, isAnswer) => say(life, (node) => node.greeted(from, isAnswer)),
    };
  }
}
