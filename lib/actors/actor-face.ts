import { entitiesOf } from "../../actors/system/entity-family.ts";
import type { ActorNode } from "../../actors/system/node.ts";
import { checkReference } from "../../actors/system/reference.ts";
import { definedActor } from "../core/actor-definition.ts";
import type {
  ActorDefinition,
  ActorReference,
  AnyReference,
  Ended,
  EntityDefinition,
  SpawnOptions,
  SpawnRest,
  StopOptions,
} from "../core/contracts/actor.ts";
import type { EntityKind } from "../core/contracts/entity-kind.ts";
import { QStreamError } from "../core/errors.ts";
import { actor } from "./actor.ts";

/** The way to actors from outside, wherever they run. */
export abstract class ActorFace implements AsyncDisposable {
  /** @internal The node through which others are reached. */
  protected readonly node: ActorNode;
  readonly #ends: Ends = new Map();
  #watcher: AnyReference | undefined;
  #watchCount = 0;
  #closing: Promise<void> | undefined;

  /** @internal Use `startActors`, or `start` of what `defineActors` gives. */
  protected constructor(node: ActorNode) {
    this.node = node;
  }

  /**
   * Starts an actor.
   *
   * @throws QStreamError NAME_TAKEN; SESSION_CLOSED
   * @example
   * const ann = system.spawn(account, { owner: "ann" }, { name: "ann" });
   */
  spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P> {
    const [args, options] = rest as [unknown, SpawnOptions?];
    return this.node.spawn(definedActor(definition), args, options) as ActorReference<P>;
  }

  /** The actor of a kind and key: it is made by its first message. */
  entity<P>(definition: EntityDefinition<P>, key: string): ActorReference<P> {
    return this.node.entity(definedActor(definition), key) as ActorReference<P>;
  }

  /**
   * The entities of a kind, by their keys: for a flow that sends to them.
   *
   * @example
   * await flow.run({ accounts: system.entities(account) }, { on: session });
   */
  entities<P>(definition: EntityDefinition<P>): EntityKind<P> {
    return entitiesOf(this.node, definedActor(definition)) as EntityKind<P>;
  }

  /** Finds an actor by its name. */
  find(name: string): Promise<AnyReference | undefined> {
    return this.node.names.find(name);
  }

  /** Stops an actor after what it handles now, or with `afterMail` after what waits in its mailbox, which else becomes dead letters. */
  stop(reference: AnyReference, options?: StopOptions): void {
    this.node.stop(reference, options);
  }

  /**
   * Resolves when an actor has ended, whatever the reason.
   *
   * @throws QStreamError SESSION_CLOSED
   */
  async ended(reference: AnyReference): Promise<Ended> {
    checkReference("ended", reference);
    if (this.#closing !== undefined) throw new QStreamError("SESSION_CLOSED", "the system of actors was closed");
    this.#watcher ??= this.node.spawn(definedActor(watcher), this.#ends);
    const watching = this.#watcher as ActorReference<WatcherProtocol>;
    return new Promise((resolve) => {
      const id = ++this.#watchCount;
      this.#ends.set(id, { reference, resolve });
      watching.tell("watch", reference);
    });
  }

  /** Publishes under a topic. */
  publish(topic: string, payload: unknown): void {
    this.node.topics.publish(topic, payload, undefined);
  }

  /**
   * Stops all actors: those at work end with what they handle now, and are waited for at most five seconds. What waits in mailboxes is
   * dead letters; who asked or waits for an end is told so. The process ends only when its systems are closed.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** @internal Ends what runs. */
  protected abstract end(): Promise<void>;

  async #close(): Promise<void> {
    await this.end();
    for (const { reference, resolve } of this.#ends.values()) resolve({ actor: reference, reason: "stopped" });
    this.#ends.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface WatcherProtocol {
  watch: (actor: AnyReference) => void;
}

/** Who waits for which actor's end, by a number. */
type Ends = Map<number, { readonly reference: AnyReference; readonly resolve: (ended: Ended) => void }>;

/** Watches for whoever isn't an actor. */
const watcher = actor({
  kind: "watcher",
  init: (ends: Ends) => ends,
  receive: {
    watch(_ends, other: AnyReference, ctx) {
      ctx.watch(other);
    },
  },
  watched(ends, ended) {
    for (const [id, { reference, resolve }] of ends) {
      if (!reference.equals(ended.actor)) continue;
      ends.delete(id);
      resolve(ended);
    }
  },
});
