import { NactHost } from "../../actors/hosts/nact-host.ts";
import { ActorNode } from "../../actors/system/node.ts";
import type { ActorEvent } from "../../actors/system/node-parts.ts";
import { actor } from "./actor.ts";
import { definedActor } from "../core/actor-definition.ts";
import type {
  ActorDefinition,
  ActorReference,
  AnyReference,
  Ended,
  SpawnOptions,
  SpawnRest,
} from "../core/contracts/actor.ts";
import { systemClock, type Clock } from "../core/seam/clock.ts";

export interface ActorSystemOptions {
  /** Seeds what `ctx.random` gives. Default 1. */
  readonly seed?: number;
  /** Is told of failures and dead letters. Failures go to standard error unless this is given. */
  readonly onEvent?: (event: ActorEvent) => void;
}

/** Counts of what the actors of a system have done. */
export interface ActorMetrics {
  /** How many live. */
  readonly actors: number;
  readonly spawned: number;
  readonly ended: number;
  /** Messages handled, and states made. */
  readonly handled: number;
  readonly failed: number;
  readonly restarted: number;
  readonly deadLetters: number;
  readonly dropped: number;
  /** What actors counted by `ctx.count`. */
  readonly counters: Readonly<Record<string, number>>;
}

// Turns between two looks at timers, sockets and promises.
const mostInTurn = 20_000;

/** Actors that run, and the way to them from outside. */
export class ActorSystem implements AsyncDisposable {
  readonly #host: NactHost;
  readonly #node: ActorNode;
  readonly #ends = new Map<number, (ended: Ended) => void>();
  #watcher: AnyReference | undefined;
  #watchCount = 0;

  /** @internal Use `startActors`. */
  constructor(options: ActorSystemOptions, clock: Clock) {
    this.#host = new NactHost();
    const turns = this.#host.spawn<"turn">("actors", {
      receive: () => {
        if (this.#node.takeTurns(mostInTurn)) turns.tell("turn");
      },
      crashed: (error) => {
        throw error;
      },
    });
    const { onEvent = reportFailure } = options;
    this.#node = new ActorNode({
      life: 1,
      clock,
      seed: options.seed ?? 1,
      schedule: () => turns.tell("turn"),
      event: onEvent,
    });
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
    return this.#node.spawn(definedActor(definition), args, options) as ActorReference<P>;
  }

  /** The actor of a kind and key: it is made by its first message. */
  entity<P>(definition: ActorDefinition<P, string>, key: string): ActorReference<P> {
    return this.#node.entity(definedActor(definition), key) as ActorReference<P>;
  }

  /** Finds an actor by its name. */
  find(name: string): Promise<AnyReference | undefined> {
    return this.#node.names.find(name);
  }

  /** Stops an actor after what it handles now; what waits in its mailbox becomes dead letters. */
  stop(reference: AnyReference): void {
    this.#node.stop(reference);
  }

  /** Resolves when an actor has ended, whatever the reason. */
  ended(reference: AnyReference): Promise<Ended> {
    this.#watcher ??= this.#node.spawn(definedActor(watcher), this.#ends);
    const watching = this.#watcher as ActorReference<WatcherProtocol>;
    return new Promise((resolve) => {
      const id = ++this.#watchCount;
      this.#ends.set(id, resolve);
      watching.tell("watch", { id, reference });
    });
  }

  /** Publishes under a topic. */
  publish(topic: string, payload: unknown): void {
    this.#node.topics.publish(topic, payload, undefined);
  }

  metrics(): ActorMetrics {
    const { spawned, ended, handled, failed, restarted, deadLetters, dropped, counters } = this.#node.metrics;
    const counts = { spawned, ended, handled, failed, restarted, deadLetters, dropped };
    return { actors: this.#node.size, ...counts, counters: Object.fromEntries(counters) };
  }

  /** Stops all actors. */
  async close(): Promise<void> {
    this.#node.close();
    this.#host.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

interface WatcherProtocol {
  watch: (order: { readonly id: number; readonly reference: AnyReference }) => void;
}

interface Watching {
  readonly ends: Map<number, (ended: Ended) => void>;
  readonly waiting: { readonly id: number; readonly reference: AnyReference }[];
}

/** Watches for whoever isn't an actor. */
const watcher = actor({
  kind: "watcher",
  init: (ends: Map<number, (ended: Ended) => void>): Watching => ({ ends, waiting: [] }),
  receive: {
    watch(state, order: { readonly id: number; readonly reference: AnyReference }, ctx) {
      state.waiting.push(order);
      ctx.watch(order.reference);
    },
  },
  watched({ ends, waiting }, ended) {
    for (let index = waiting.length - 1; index >= 0; index--) {
      const each = waiting[index];
      if (each === undefined || !each.reference.equals(ended.actor)) continue;
      waiting.splice(index, 1);
      ends.get(each.id)?.(ended);
      ends.delete(each.id);
    }
  },
});

function reportFailure(event: ActorEvent): void {
  if (event.kind !== "actor-failed") return;
  const at = event.message === undefined ? "" : ` at "${event.message}"`;
  process.stderr.write(`${event.actor} failed${at} (${event.action}): ${event.error.stack ?? event.error.message}\n`);
}

/**
 * Starts a system of actors in this thread.
 *
 * @example
 * await using system = startActors();
 * const reference = system.spawn(counter, 5);
 * reference.tell("add", 3);
 * console.log(await reference.ask("get"));
 */
export function startActors(options: ActorSystemOptions = {}): ActorSystem {
  return new ActorSystem(options, systemClock);
}
