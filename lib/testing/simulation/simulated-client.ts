import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import type { LaunchOptions } from "../../../actors/slots/slot-launcher.ts";
import { CheckpointBlobs } from "../../../actors/stores/checkpoint-blobs.ts";
import type { LineageStore } from "../../core/contracts/lineage-store.ts";
import type { Execution } from "../../flow/execution.ts";
import { Session, type LaunchHooks, type SessionStart } from "../../flow/session.ts";
import type { FaultyStore } from "./faulty-store.ts";
import { SimulatedSlots, type SimulatedSlotsOptions } from "./simulated-slots.ts";

export interface SimulatedClientOptions {
  readonly slots: SimulatedSlotsOptions;
  readonly slotCount: number;
  readonly leaseMs: number;
  readonly store: FaultyStore | undefined;
  /** Where checkpoints above so many bytes are kept. */
  readonly blobs?: { readonly path: string; readonly aboveBytes: number } | undefined;
  readonly checkpointEveryMs: number;
  readonly attempts: number;
  readonly seed: number;
  readonly wholeCheckpoints: WholePolicy;
}

/** A session that remembers what it was asked to start: another one may have to go on with it. */
class RememberingSession extends Session {
  started: SessionStart | undefined;

  override start(start: SessionStart): Promise<Execution<Record<string, unknown>>> {
    this.started = start;
    return super.start(start);
  }
}

/** One life of what a flow is run from: a session with scheduler and lineage actor, and its slots. All of it can be killed. */
export class SimulatedClient {
  readonly slots: SimulatedSlots;
  readonly session: RememberingSession;
  readonly #store: FaultyStore | undefined;
  /** Settled once everything is killed. */
  readonly killed: Promise<undefined>;
  #noteKilled: () => void = () => {};

  constructor(options: SimulatedClientOptions) {
    const { store, checkpointEveryMs, attempts, seed, wholeCheckpoints } = options;
    this.#store = store;
    this.killed = new Promise((resolve) => (this.#noteKilled = () => resolve(undefined)));
    const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {} };
    this.slots = new SimulatedSlots(launchOptions(options, hooks), options.slots);
    const { clock, files } = this.slots;
    store?.connect();
    this.session = new RememberingSession({ checkpointEveryMs, attempts, seed }, this.slots, hooks, {
      clock,
      host: this.slots.turnHost(clock),
      store: this.#storeWithBlobs(options),
      // What a session looks at before an execution runs takes no time.
      files: options.slots.files ?? files,
      wholeCheckpoints,
    });
  }

  /**
   * Goes on with an execution as `flow.resume` does. That the flow and its code are still the same isn't looked at: in this
   * process they are, and compiling the code for its hash takes longer than most executions.
   */
  async resume(execution: string, started: SessionStart | undefined): Promise<Execution<Record<string, unknown>>> {
    if (started === undefined) throw new Error(`execution ${execution} was never started here`);
    const stored = await this.session.findStored(execution);
    return this.session.start({ ...started, resumed: { execution, stored } });
  }

  /** Everything ends at once. The store and the files are what they are. */
  kill(): void {
    this.#store?.disconnect();
    this.slots.killAll();
    this.#noteKilled();
  }

  #storeWithBlobs({ store, blobs }: SimulatedClientOptions): LineageStore | undefined {
    if (store === undefined || blobs === undefined) return store;
    return new CheckpointBlobs(store, { path: blobs.path, files: this.slots.files, storeBytesMax: blobs.aboveBytes });
  }
}

function launchOptions({ slotCount, leaseMs }: SimulatedClientOptions, hooks: LaunchHooks): LaunchOptions {
  return {
    ids: Array.from({ length: slotCount }, (_, index) => `slot-${index}`),
    client: "client",
    tags: [],
    memoryBytes: undefined,
    leaseMs,
    files: {},
    stdout: "inherit",
    onReport: (report) => hooks.onReport(report),
    onLost: (slot, error) => hooks.onLost(slot, error),
  };
}
