import type { AnyReference } from "../../../lib/core/contracts/actor.ts";
import type { Cell } from "../cell.ts";
import type { LocalTopics, Topics } from "../topics.ts";
import type { NodeMessages, NodeService } from "./node-link.ts";

interface Published {
  readonly topic: string;
  readonly payload: unknown;
  readonly sender: AnyReference | undefined;
}

/**
 * Topics of the whole system. A topic is at home in one host, which knows the nodes that have subscribers; all that is published goes
 * through it, so that all subscribers see one order.
 */
export class DistantTopics implements Topics {
  readonly #messages: NodeMessages;
  readonly #local: LocalTopics;
  /** Topics that are at home here, and which nodes have subscribers. */
  readonly #home = new Map<string, Set<number>>();
  /** Topics that this node's actors have subscribed to. */
  readonly #subscribed = new Set<string>();

  constructor(messages: NodeMessages, local: LocalTopics) {
    this.#messages = messages;
    this.#local = local;
  }

  subscribe(cell: Cell, topic: string, name: string): void {
    this.#local.subscribe(cell, topic, name);
    if (this.#subscribed.has(topic)) return;
    this.#subscribed.add(topic);
    this.#messages.tellHome(keyOf(topic), "subscribe", topic);
  }

  unsubscribe(cell: Cell, topic: string): void {
    this.#local.unsubscribe(cell, topic);
    this.#unsubscribed(topic);
  }

  publish(topic: string, payload: unknown, from: Cell | undefined): void {
    const published: Published = { topic, payload, sender: from?.self };
    if (!this.#messages.offerHome(keyOf(topic), "publish", published)) this.#missed(topic);
  }

  leave(cell: Cell): void {
    const topics = [...(cell.extras?.topics?.keys() ?? [])];
    this.#local.leave(cell);
    for (const topic of topics) this.#unsubscribed(topic);
  }

  /** A host's life has begun, in which topics may be at home: it doesn't know their subscribers yet. */
  subscribeAgain(isAtHomeThere: (key: string) => boolean): void {
    for (const topic of this.#subscribed) {
      if (isAtHomeThere(keyOf(topic))) this.#messages.tellHome(keyOf(topic), "subscribe", topic);
    }
  }

  /** A node is lost, and its actors with it. */
  lost(life: number): void {
    for (const topic of this.#home.keys()) this.#forget(topic, life);
  }

  readonly services: Readonly<Record<string, NodeService>> = {
    subscribe: (topic: string, from) => {
      let lives = this.#home.get(topic);
      if (lives === undefined) this.#home.set(topic, (lives = new Set()));
      lives.add(from);
    },
    unsubscribe: (topic: string, from) => this.#forget(topic, from),
    publish: (published: Published) => {
      for (const life of this.#home.get(published.topic) ?? []) {
        if (life === this.#messages.life) this.#spread(published);
        else if (!this.#messages.offerNode(life, "published", published)) this.#missed(published.topic);
      }
    },
    published: (published: Published) => this.#spread(published),
  };

  /** A node has no subscribers of a topic any more. */
  #forget(topic: string, life: number): void {
    const lives = this.#home.get(topic);
    lives?.delete(life);
    if (lives?.size === 0) this.#home.delete(topic);
  }

  #spread({ topic, payload, sender }: Published): void {
    this.#local.spread(topic, payload, sender, undefined);
  }

  /** Too much waits to be sent to the topic's home, or to subscribers. */
  #missed(topic: string): void {
    this.#messages.unsent(`topic "${topic}"`, "publish");
  }

  #unsubscribed(topic: string): void {
    if (!this.#subscribed.has(topic) || this.#local.has(topic)) return;
    this.#subscribed.delete(topic);
    this.#messages.tellHome(keyOf(topic), "unsubscribe", topic);
  }
}

function keyOf(topic: string): string {
  return `topic/${topic}`;
}
