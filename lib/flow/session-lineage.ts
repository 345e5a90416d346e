import type { WholePolicy } from "../../actors/channel/checkpoints.ts";
import { repeatWhileAway } from "../../actors/stores/repeat-while-away.ts";
import type { ActorHost } from "../../actors/hosts/actor-host.ts";
import { LineageActor } from "../../actors/lineage/lineage-actor.ts";
import type { RecoverySettings, SlotHandle } from "../../actors/scheduler/execution-request.ts";
import type { Drain } from "../../actors/slot/protocol.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { QStreamError } from "../core/errors.ts";
import type { Plan } from "../core/plan.ts";
import type { Clock } from "../core/seam/clock.ts";
import { planDrain } from "./drain-plan.ts";
import { earlierChannels, endedSteps } from "./earlier-channels.ts";
import type { Graph } from "./graph.ts";
import { nextName } from "./rescaled-name.ts";
import { rescaleStored, type Drained } from "./rescale.ts";
import { decodeStoredFlow, encodeStoredFlow, type StoredFlow } from "./stored-flow.ts";

/** How a session keeps the lineage of its executions. */
export interface LineageOptions {
  /**
   * Where lineage and checkpoints are kept, so that what is lost can be made again: `lmdb:<folder>` (default `lmdb:.qstream`,
   * with isolation `none` nothing), `redis://host:port/db`, `memory`; `none` keeps nothing, and a lost slot or a failed task
   * fails the execution.
   */
  readonly store?: string;
  /**
   * Where checkpoints above 256 KiB are kept: a folder, or `s3://bucket/prefix`. Default: where the store keeps all it has. Each
   * process that goes on with an execution has to name the same place. A store in memory takes no notice of it.
   */
  readonly checkpoints?: string;
  /** Milliseconds between two checkpoints of a channel. Default 2,000. */
  readonly checkpointEveryMs?: number;
  /** How often a task may fail before its execution does. Default 3. */
  readonly attempts?: number;
  /** Milliseconds for which executions wait for a store that is away. Default 60,000. */
  readonly storeWaitMs?: number;
}

/** Where sessions keep lineage unless they are told otherwise: below the working directory. */
export const defaultStore = "lmdb:.qstream";

/**
 * The store of a session: the one that it is given, else the one that QSTREAM_STORE in the environment names, else the
 * default. A session in a single thread has nothing that could be lost alone.
 */
export function storeOf(options: {
  readonly store?: string | undefined;
  readonly isolation?: string | undefined;
}): string {
  if (options.store !== undefined) return options.store;
  return options.isolation === "none" ? "none" : (process.env["QSTREAM_STORE"] ?? defaultStore);
}

/** The lineage of a session: its store, the actor that writes to it, and what the store knows of executions. */
export class SessionLineage {
  readonly actor: LineageActor;
  readonly recovery: RecoverySettings;
  readonly #store: LineageStore;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #ended = new AbortController();
  readonly #tidying = new Set<Promise<void>>();

  constructor(parts: {
    readonly store: LineageStore;
    readonly options: LineageOptions;
    readonly wholeCheckpoints?: WholePolicy | undefined;
    readonly host: ActorHost;
    readonly clock: Clock;
    readonly slot: (id: string) => SlotHandle | undefined;
    readonly failed: (execution: string, error: Error) => void;
  }) {
    const { store, options, wholeCheckpoints: whole, host, clock, slot, failed } = parts;
    const { checkpointEveryMs = 2000, attempts = 3, storeWaitMs = 60_000 } = options;
    this.#store = store;
    this.#clock = clock;
    this.#waitMs = storeWaitMs;
    // A state that takes long to make again is saved earlier than time alone would have it.
    const times = { everyMs: checkpointEveryMs, workMs: 5 * checkpointEveryMs };
    this.recovery = { checkpoints: { ...times, whole, blobs: store.blobs }, attempts, outlives: this.outlives };
    this.actor = new LineageActor({
      host,
      clock,
      store,
      waitMs: storeWaitMs,
      order: (id, order) => slot(id)?.order(order),
      failed,
    });
  }

  /** True if another process can go on with what this one started. */
  get outlives(): boolean {
    return this.#store.kind !== "memory";
  }

  async open(execution: string, plan: Plan, stored: StoredFlow): Promise<void> {
    try {
      await this.actor.open(execution, plan, encodeStoredFlow(stored));
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** What users are told of the error of an execution: of a store that didn't come back, for how long it was waited for, too. */
  explain<T>(error: T): T | QStreamError {
    // That of a step is about a server of its own.
    if (!(error instanceof QStreamError) || error.place.step !== undefined) return error;
    const { code, message, cause } = error;
    if (code !== "STORE_UNAVAILABLE" && code !== "STORE_REFUSED") return error;
    return new QStreamError(code, `waited ${this.#waitMs} ms for the store: ${message}`, {
      advice: "How long is set by storeWaitMs (--store-wait-ms; on a cluster it follows from the head's --lease-ms)",
      cause,
    });
  }

  /**
   * What the store has of an execution that can be gone on with.
   *
   * @throws QStreamError EXECUTION_UNKNOWN
   */
  find(execution: string): Promise<StoredFlow> {
    return this.#patiently(() => this.#find(execution));
  }

  async #find(execution: string): Promise<StoredFlow> {
    const found = await this.#store.find(execution);
    if (found !== undefined) return this.#refuseHalf(execution, decodeStoredFlow(execution, found.description));
    const known = (await this.#store.list()).map((other) => other.execution);
    throw new QStreamError("EXECUTION_UNKNOWN", `the store has no execution ${execution}`, {
      advice: `${known.length === 0 ? "It has none" : `It has ${known.slice(0, 10).join(", ")}`}; what is done isn't kept`,
    });
  }

  /** One that is to go on from another, which is still there, may lack some of its states. */
  async #refuseHalf(execution: string, stored: StoredFlow): Promise<StoredFlow> {
    const { earlier } = stored;
    if (earlier === undefined || (await this.#store.find(earlier.execution)) === undefined) return stored;
    throw new QStreamError(
      "NOT_RECOVERABLE",
      `execution ${execution} was to go on with ${earlier.execution}, and isn't whole`,
      {
        advice: `Its channels were being changed when its process ended: go on with ${earlier.execution}`,
      },
    );
  }

  /** Shuts out who runs an execution, and says which steps pause so that its channels can change. */
  async drainOf(graph: Graph, execution: string, stored: StoredFlow): Promise<Drain> {
    const channels = await this.#patiently(() => earlierChannels(this.#store, execution, stored));
    return planDrain(graph, endedSteps(graph, channels));
  }

  /** What goes on with an execution whose links are drained, with other channels. */
  async rescale(drained: Drained): Promise<{ readonly execution: string; readonly stored: StoredFlow }> {
    this.actor.abandon(drained.execution);
    return rescaleStored(this.#store, drained);
  }

  async resume(execution: string, plan: Plan): Promise<void> {
    // Of a change of channels that came half way there may be something, which would look whole once this one is done.
    await this.#patiently(() => this.#store.drop(nextName(execution)));
    this.actor.resume(execution, plan);
    await this.#patiently(() => this.#store.setStatus(execution, "running"));
  }

  /** Repeats a call while the store is away. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await repeatWhileAway({ clock: this.#clock, waitMs: this.#waitMs, signal: this.#ended.signal }, call);
    } catch (error) {
      // What was refused wasn't waited for.
      throw error instanceof QStreamError && error.code === "STORE_UNAVAILABLE" ? this.explain(error) : error;
    }
  }

  /** The result is there, or the reason why not: what the store keeps is tidied behind it. */
  close(execution: string, error?: Error): void {
    const code = error instanceof QStreamError ? error.code : undefined;
    if (code === "EXECUTION_TAKEN") {
      this.actor.abandon(execution);
      return;
    }
    const status = error === undefined ? "done" : code === "ABORTED" ? "cancelled" : "failed";
    const closing = this.actor.close(execution, status);
    this.#tidying.add(closing);
    const forget = (): unknown => this.#tidying.delete(closing);
    closing.then(forget, forget);
  }

  async end(): Promise<void> {
    this.#ended.abort(new QStreamError("SESSION_CLOSED", "the session is closed"));
    await Promise.allSettled(this.#tidying);
    this.actor.stop();
    await this.#store.close();
  }
}
