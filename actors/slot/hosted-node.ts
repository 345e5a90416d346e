import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { ActorsCode } from "../../lib/core/program.ts";
import { errorToData } from "../../lib/core/errors.ts";
import { emptyMetrics, type ChannelMetrics } from "../channel/channel-metrics.ts";
import type { ActorReference } from "../hosts/actor-host.ts";
import { DistantNode } from "../system/distant/distant-node.ts";
import { DistantTopics } from "../system/distant/distant-topics.ts";
import { Hosts } from "../system/distant/hosts.ts";
import type { NodeLink } from "../system/distant/node-link.ts";
import { viewServices } from "../system/distant/node-views.ts";
import { Keeping } from "../system/durable/keeping.ts";
import { ActorNode } from "../system/node.ts";
import { closedError } from "../system/refused.ts";
import { nodeIsHere } from "../system/nodes-here.ts";
import type { ActorEvent, NodeParts } from "../system/node-parts.ts";
import type { ActorNotes } from "./actor-notes.ts";
import type { ActorParts } from "./slot-actors.ts";

export interface HostedNodeParts {
  readonly execution: string;
  readonly step: number;
  readonly channel: number;
  readonly life: number;
  readonly code: ActorsCode;
  readonly hosts: readonly { readonly life: number; readonly slot: string }[];
  readonly places: readonly SlotPlace[];
  readonly clientLife: number;
  readonly seed: number;
  readonly isFirst: boolean;
  readonly shared: ActorParts;
  readonly link: NodeLink;
  /** All of its actors have ended, as it was told to. */
  readonly closed: (metrics: ChannelMetrics) => void;
}

/** What the client of a system has of its node. */
export interface ClientNode {
  readonly node: ActorNode;
  readonly distant: DistantNode;
  /** The hosts' actors end, and its own, and the execution hears of it. */
  readonly close: () => Promise<void>;
}

// Messages between two looks at timers, sockets and promises.
const mostInTurn = 2048;
// Of more events than this in a second others are only counted.
const eventsMost = 100;
const eventsMs = 1000;
const emptiedMs = 5000;

/** A node of actors in its slot: who gives it turns, and whom it tells what happens. */
export class HostedNode {
  readonly step: number;
  readonly channel: number;
  readonly node: ActorNode;
  readonly distant: DistantNode;
  readonly #parts: HostedNodeParts;
  readonly #actor: ActorReference<"turn">;
  readonly #leave: () => void;
  readonly #keeping: Keeping | undefined;
  readonly #notes: ActorNotes | undefined;
  #isStarted = false;
  #isScheduled = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #events = 0;
  #eventsSince = -Infinity;

  constructor(parts: HostedNodeParts) {
    this.#parts = parts;
    const { step, channel, life, code, hosts, places, clientLife, seed, isFirst, shared, link } = parts;
    const { clock } = shared;
    this.step = step;
    this.channel = channel;
    this.#actor = shared.host.spawn<"turn">(`actors.${channel}`, {
      receive: () => this.#turn(),
      crashed: (error) => this.#crashed(error),
    });
    this.#keeping =
      code.journal === undefined ? undefined : new Keeping({ store: code.journal, seed, clock, waitsToOpen: true });
    this.distant = new DistantNode({
      life,
      clock,
      hosts: new Hosts(hosts, places),
      clientLife,
      link,
      definitions: code.definitions,
      isFirst,
      services: {
        ...viewServices(() => this.node),
        ...this.#keeping?.services,
        close: () => void this.end(),
        event: (event: unknown) => code.client?.event(event),
      },
    });
    const notes = shared.notes?.actors(parts.execution, life);
    this.#notes = notes;
    let topics: DistantTopics | undefined;
    this.node = new ActorNode({
      life,
      clock,
      seed,
      schedule: () => this.#schedule(),
      event: (event) => this.#event(event),
      distant: this.distant,
      names: this.distant.names,
      topics: (local) => (topics = new DistantTopics(this.distant, local)),
      isHome: (entity) => this.distant.isAtHome(entity.key),
      ...this.#durable(),
      ...(notes === undefined ? {} : { observer: notes }),
    });
    this.distant.join(this.node, topics as unknown as DistantTopics);
    const home = { system: parts.execution, reach: "slots" } as const;
    const slots = (): string[] => this.distant.hosts.flatMap((host) => (host.life === undefined ? [] : [host.slot]));
    this.#leave = nodeIsHere(home, { node: this.node, binder: this.distant, slot: shared.id, slots });
    const close = (): Promise<void> => {
      this.closeHosts();
      return this.end();
    };
    code.client?.opened({ node: this.node, distant: this.distant, close } satisfies ClientNode);
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#isScheduled) this.#want();
    this.#keeping?.meet(this.#parts.code.definitions.values());
  }

  /** Hosts are somewhere else than before: what waits for their durable actors is sent there. */
  moved(): void {
    this.#keeping?.movedHome();
    // Who ends the system told the hosts that there were then.
    if (this.#closing !== undefined && this.#parts.life === this.#parts.clientLife) this.closeHosts();
  }

  /** All hosts that live are to end their actors. */
  closeHosts(): void {
    const { distant } = this;
    for (const { life } of distant.hosts) if (life !== undefined) distant.tellNode(life, "close", undefined, true);
    distant.flush();
  }

  /** Ends its actors, and says so. */
  end(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /**
   * Nothing of it runs any more.
   *
   * @param reason - what the system failed of
   */
  close(reason?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leave();
    this.node.close(reason);
    this.distant.close(closedError(reason));
    this.#actor.stop();
    void this.#keeping?.close();
  }

  #durable(): Pick<NodeParts, "durable"> {
    const keeping = this.#keeping;
    return keeping === undefined ? {} : { durable: (node) => keeping.start(node, this.distant) };
  }

  async #end(): Promise<void> {
    this.node.close();
    await this.node.emptied(emptiedMs);
    await this.#keeping?.close();
    const { handled, counters } = this.node.metrics;
    this.#parts.closed({ ...emptyMetrics(), tasks: handled, counters: { ...counters } });
  }

  #schedule(): void {
    this.#isScheduled = true;
    if (this.#isStarted) this.#want();
  }

  #want(): void {
    this.#parts.shared.turns.want(this.#parts.execution, this.#actor);
  }

  #turn(): void {
    if (this.#isClosed) return;
    const { shared, execution } = this.#parts;
    shared.turns.take(execution, () => {
      this.#notes?.turn();
      const isMore = this.distant.turns(mostInTurn);
      shared.notes?.rest();
      if (isMore) this.#want();
    });
  }

  #crashed(error: unknown): void {
    const { shared, execution } = this.#parts;
    shared.report({ kind: "failed", execution, slot: shared.id, error: errorToData(error) });
  }

  /** Who started the system hears of it. */
  #event(event: ActorEvent): void {
    const { code, clientLife, life, shared } = this.#parts;
    const plain = "error" in event ? { ...event, error: errorToData(event.error) } : event;
    if (life === clientLife) {
      code.client?.event(plain);
      return;
    }
    const now = shared.clock.monotonic();
    if (now - this.#eventsSince > eventsMs) {
      this.#events = 0;
      this.#eventsSince = now;
    }
    if (this.#events++ < eventsMost) this.distant.tellNode(clientLife, "event", plain, false);
  }
}
