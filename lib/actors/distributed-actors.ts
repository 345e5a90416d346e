import type { ClientNode } from "../../actors/slot/hosted-node.ts";
import type { ActorFacts, ListedActor } from "../../actors/system/distant/node-views.ts";
import type { ActorMetrics } from "../../actors/system/node-metrics.ts";
import { definedActor } from "../core/actor-definition.ts";
import type {
  ActorDefinition,
  ActorReference,
  AnyReference,
  SpawnOptions,
  SpawnRest,
} from "../core/contracts/actor.ts";
import { keepAlive } from "../core/seam/keeping-alive.ts";
import { systemClock } from "../core/seam/clock.ts";
import type { Execution } from "../flow/execution.ts";
import type { FlowSession } from "../flow/session.ts";
import { ActorFace } from "./actor-face.ts";
import { askSlots, clientChannel, clientSlot, type SlotAnswer } from "./ask-slots.ts";
import { addUp, type LostHosts } from "./lost-hosts.ts";

export interface DistributedParts {
  readonly client: ClientNode;
  readonly lost: LostHosts;
  readonly execution: Execution<Record<string, unknown>>;
  /** A session that ends with the system. */
  readonly session: FlowSession | undefined;
  readonly signal: AbortSignal | undefined;
  readonly forget: () => void;
}

/** A host of actors, and how many it has. */
export interface ActorHostPlace {
  readonly slot: string;
  readonly actors: number;
}

/** An actor in a list. */
export interface ActorEntry extends ActorFacts {
  readonly reference: AnyReference;
  readonly slot: string;
}

const askMs = 5000;
const listMostDefault = 1000;
// A host that doesn't end in time is ended with its execution.
const closeMs = 8000;

/** Actors that run on the slots of a session, and the way to them from outside. What isn't placed is spread over the slots. */
export class DistributedActors extends ActorFace {
  /** Id of the execution that it is. */
  readonly execution: string;
  readonly #parts: DistributedParts;
  readonly #letGo: () => void;

  /** @internal Use `start` of what `defineActors` gives. */
  constructor(parts: DistributedParts) {
    super(parts.client.node);
    this.#parts = parts;
    this.execution = parts.execution.id;
    const { signal, execution } = parts;
    const abort = (): void => void this.close();
    const dieAway = keepAlive(systemClock);
    this.#letGo = () => {
      dieAway();
      signal?.removeEventListener("abort", abort);
    };
    execution.outputs.then(this.#letGo, this.#letGo);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
  }

  /** Where actors can be: a host for each slot. */
  get hosts(): readonly ActorHostPlace[] {
    return this.#parts.client.distant.hosts.flatMap(({ life, slot, actors }) =>
      life === undefined ? [] : [{ slot, actors }],
    );
  }

  /** Starts an actor: where its place says, else in the slot that has least actors. Definitions that have no name stay in this thread. */
  override spawn<P, Args>(definition: ActorDefinition<P, Args>, ...rest: SpawnRest<Args>): ActorReference<P> {
    const [args, options] = rest as [unknown, SpawnOptions?];
    const defined = definedActor(definition);
    const isLocal = defined.registered === undefined && options?.place === undefined;
    const placed: SpawnOptions = isLocal ? { ...options } : { place: { kind: "spread", channels: 1 }, ...options };
    return this.node.spawn(defined, args, placed) as ActorReference<P>;
  }

  /** Counts of all slots, with what is known of those that were lost: the messages that were lost with them are in none. */
  async metrics(): Promise<ActorMetrics> {
    const { lost, client } = this.#parts;
    const all = await this.#askAll<ActorMetrics>("metrics", undefined);
    const answered = new Map(all.map(([, counts, channel]) => [channel, counts]));
    for (const [channel, counts] of answered) lost.saw(channel, counts);
    const channels = [...client.distant.hosts.keys(), clientChannel];
    return channels.map((channel) => answered.get(channel) ?? lost.lastOf(channel)).reduce(addUp, lost.counts);
  }

  /**
   * Actors that live, of all slots.
   *
   * @param query - `kind` for those of one definition, `most` for how many of each slot at most (1,000 unless told)
   */
  async list(query: { readonly kind?: string; readonly most?: number } = {}): Promise<readonly ActorEntry[]> {
    const { kind, most = listMostDefault } = query;
    const all = await this.#askAll<readonly ListedActor[]>("list", { kind, most });
    const entries = all.flatMap(([slot, listed]) => listed.map((entry) => ({ ...entry, slot })));
    return entries.filter((entry) => entry.slot !== clientSlot || entry.kind !== "watcher");
  }

  /** The state and the mailbox of an actor as text for people, within limits; undefined where it doesn't live. */
  async inspect(actor: AnyReference): Promise<string | undefined> {
    const all = await this.#askAll<string | undefined>("inspect", actor);
    return all.map(([, text]) => text).find((text) => text !== undefined);
  }

  /** Asks all nodes: the hosts, and that of this thread. */
  async #askAll<T>(name: string, payload: unknown): Promise<readonly SlotAnswer<T>[]> {
    return (await askSlots<T>(this.#parts.client, name, payload, askMs)).answers;
  }

  /** @internal */
  protected async end(): Promise<void> {
    const { client, execution, session, forget } = this.#parts;
    const cancel = this.node.clock.after(closeMs, () => execution.cancel("its actors don't end"));
    void client.close();
    try {
      await execution.outputs;
    } catch {
      // It has ended otherwise, of which its listeners have heard.
    } finally {
      cancel();
      this.#letGo();
      forget();
      await session?.close();
    }
  }
}
