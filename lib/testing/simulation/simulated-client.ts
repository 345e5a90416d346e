import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import type { ChannelMove } from "../../../actors/scheduler/execution-events.ts";
import type { LaunchOptions } from "../../../actors/slots/slot-launcher.ts";
import { CheckpointBlobs } from "../../../actors/stores/checkpoint-blobs.ts";
import type { LineageStore } from "../../core/contracts/lineage-store.ts";
import { loadableUrl } from "../../code/bundle.ts";
import { QStreamError } from "../../core/errors.ts";
import type { Execution } from "../../flow/execution.ts";
import { nextName, startedName } from "../../flow/rescaled-name.ts";
import {
  Session,
  type LaunchHooks,
  type SessionOptions,
  type SessionStart,
  type SessionWorld,
} from "../../flow/session.ts";
import type { FaultyStore } from "./faulty-store.ts";
import { Life } from "./life.ts";
import { SimulatedSlots, type SimulatedSlotsOptions } from "./simulated-slots.ts";
import { filesInVirtualTime } from "./virtual-files.ts";

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
  readonly rebalances?: boolean | undefined;
}

/** How often an execution may have got other channels while nobody could say so. */
const changesMost = 8;
const atOnce = { random: () => 0, mostMs: 0 } as const;

/** What a session takes for the code of its flows: it isn't looked at, as making its hash takes longer than most executions. */
type NoCode = { -readonly [Key in keyof NonNullable<SessionWorld["code"]>]: string };

/** A session that remembers what it was asked to start: another one may have to go on with it. */
class RememberingSession extends Session {
  /** By the name that an execution had first. */
  readonly started = new Map<string, SessionStart>();
  readonly #code: NoCode;

  constructor(code: NoCode, ...parameters: [SessionOptions, SimulatedSlots, LaunchHooks, SessionWorld]) {
    const [options, slots, hooks, world] = parameters;
    super(options, slots, hooks, { ...world, code });
    this.#code = code;
  }

  override async start(start: SessionStart): Promise<Execution<Record<string, unknown>>> {
    this.#code.load = await loadableUrl(start.reference.module);
    const execution = await super.start(start);
    this.started.set(startedName(execution.id), start);
    return execution;
  }
}

/** One life of what a flow is run from: a session with scheduler and lineage actor, and its slots. All of it can be killed. */
export class SimulatedClient {
  readonly slots: SimulatedSlots;
  readonly session: RememberingSession;
  readonly #store: FaultyStore | undefined;
  readonly #hooks: LaunchHooks;
  readonly #life: Life;
  /** Settled once everything is killed. */
  readonly killed: Promise<undefined>;
  #noteKilled: () => void = () => {};
  #abort = new AbortController();

  constructor(options: SimulatedClientOptions) {
    const { store, checkpointEveryMs, attempts, seed, wholeCheckpoints } = options;
    this.#store = store;
    this.killed = new Promise((resolve) => (this.#noteKilled = () => resolve(undefined)));
    const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {} };
    this.#hooks = hooks;
    this.#life = new Life(options.slots.clock);
    this.slots = new SimulatedSlots(launchOptions(options, hooks), options.slots);
    const { clock, files } = this.slots;
    store?.connect();
    const code = { load: "", hash: "" };
    this.session = new RememberingSession(code, { checkpointEveryMs, attempts, seed }, this.slots, hooks, {
      clock,
      host: this.slots.turnHost(clock),
      store: this.#storeWithBlobs(options),
      // What a session looks at before an execution runs takes no time, but is waited for.
      files: filesInVirtualTime(options.slots.files ?? files, {
        ...atOnce,
        clock: options.slots.clock,
        life: this.#life,
      }),
      wholeCheckpoints,
      rebalances: options.rebalances,
    });
  }

  /** What its executions were started with. */
  get started(): ReadonlyMap<string, SessionStart> {
    return this.session.started;
  }

  /** Aborts when the user stops what runs. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get stopped(): boolean {
    return this.#abort.signal.aborted;
  }

  get dead(): boolean {
    return this.#life.dead;
  }

  /** What slots that were closed in order have left. */
  get leftBehind(): readonly string[] {
    const { closed, actorsLeft } = this.slots;
    const files = closed.flatMap(({ id, drive }) =>
      drive.files.map(({ name }) => `file ${name} on the drive of ${id}`),
    );
    return actorsLeft === 0 ? files : [...files, `${actorsLeft} actors in slots`];
  }

  /** Stops all that runs, as Ctrl-C does. */
  stop(): void {
    this.#abort.abort(new Error("interrupted"));
  }

  /** What was stopped is over: what is run from now on isn't stopped. */
  goOn(): void {
    this.#abort = new AbortController();
  }

  /**
   * Goes on with an execution as `flow.resume` does. That the flow and its code are still the same isn't looked at: in this
   * process they are.
   *
   * @param rescales - it gets as many channels as there are slots for
   */
  async resume(
    execution: string,
    started: ReadonlyMap<string, SessionStart>,
    rescales: boolean,
  ): Promise<Execution<Record<string, unknown>>> {
    const start = started.get(startedName(execution));
    if (start === undefined) throw new Error(`execution ${execution} was never started here`);
    const { signal } = this;
    const resumed = await this.#find(execution, rescales);
    const options = { ...start.options, signal };
    const goesOn = await this.session.start({ ...start, options, resumed, ...(rescales ? { rescale: true } : {}) });
    const cancel = (): void => goesOn.cancel("interrupted");
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    return goesOn;
  }

  /** It may have got other channels, and another name, before whoever went on with it was killed or stopped. */
  async #find(execution: string, rescales: boolean): Promise<NonNullable<SessionStart["resumed"]>> {
    for (let name = execution, changes = 0; ; name = nextName(name), changes++) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one name after the other
        return { execution: name, stored: await this.session.findStored(name) };
      } catch (error) {
        const unknown = error instanceof QStreamError && error.code === "EXECUTION_UNKNOWN";
        if (!rescales || !unknown || changes === changesMost) throw error;
      }
    }
  }

  /**
   * Asks for the load of an execution to be made even.
   *
   * @param grows - another slot comes first
   */
  rebalance(
    execution: string,
    grows: boolean,
  ): { readonly what: string; readonly answer: Promise<readonly ChannelMove[]> } {
    const added = grows ? this.slots.add() : undefined;
    if (added !== undefined) this.#hooks.onAdded?.();
    return {
      what: added === undefined ? "asked for" : `asked for, with ${added} that has come`,
      answer: this.session.rebalance(execution),
    };
  }

  /** Everything ends at once. The store and the files are what they are. */
  kill(): void {
    this.#store?.disconnect();
    this.#life.end();
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
    onLost: (slot, error, activity) => hooks.onLost(slot, error, activity),
  };
}
