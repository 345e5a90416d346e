import { loadBatches } from "../../core/batch/index.ts";
import type { LineageStore } from "../../core/contracts/lineage-store.ts";
import type { Limits } from "../../core/limits.ts";
import { seededRandom, type Random } from "../../core/seam/random.ts";
import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import { pointerIn } from "../../../actors/stores/blob-pointer.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { Execution } from "../../flow/execution.ts";
import { delay } from "../../core/seam/clock.ts";
import { QStreamError } from "../../core/errors.ts";
import { withoutIds } from "./describe.ts";
import { FaultInjector } from "./fault-injector.ts";
import { drawFaults, type FaultKind, type Phase } from "./faults.ts";
import { openFileSystem } from "../../files/index.ts";
import { FaultyStore, type StoreCall } from "./faulty-store.ts";
import { Invariants } from "./invariants.ts";
import { MemoryFiles } from "./memory-files.ts";
import { SimulatedClient, type SimulatedClientOptions } from "./simulated-client.ts";
import type { SlotWatch } from "./simulated-slots.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { PlaceTrouble } from "./virtual-files.ts";
import { VirtualNetwork, type NetworkCounts } from "./virtual-network.ts";
import { WaitingCode } from "./waiting-code.ts";

export interface SimulationOptions {
  /** Everything that may vary follows from it. */
  readonly seed: number;
  /** Kinds of faults that strike; none unless told. */
  readonly faults?: readonly FaultKind[];
  /** Virtual milliseconds within which faults strike; afterwards all is healed. Default 50. */
  readonly faultsWithinMs?: number;
  /** Faults at most. Default 4. */
  readonly faultsMax?: number;
  /** Slots. Default 3. */
  readonly slots?: number;
  /** Machines that the slots are on. Default: each slot its own. */
  readonly machines?: number;
  /** Makes the store that lineage is kept in, in memory as ours is. With `none` what is lost can't be made again. */
  readonly store?: "none" | (() => LineageStore);
  /** Virtual milliseconds between two checkpoints of a channel. Default 20. */
  readonly checkpointEveryMs?: number;
  /**
   * When states are saved whole though operators say what has changed. Default: after two checkpoints with changes, or as
   * many bytes of changes as the whole one had; so that there are many of both kinds.
   */
  readonly wholeCheckpoints?: WholePolicy;
  /** How often a task may fail before its execution does, as the store counts: twice where it is asked twice. Default 3. */
  readonly attempts?: number;
  readonly limits?: Partial<Limits>;
  /** Freezes what operators are given. Default true. */
  readonly strict?: boolean;
  /** Runs a part of the tasks twice, to see whether they do the same. */
  readonly verifyReplay?: boolean | { readonly share: number };
  /** Virtual milliseconds for which a slot may be silent before it is given up. Default 1,000. */
  readonly leaseMs?: number;
  /** Virtual milliseconds within which the execution must end once all is healed. Default 60,000. */
  readonly finishWithinMs?: number;
  /** Lines of the trace that are kept. Default 20,000; 0 keeps its checksum only. */
  readonly traceLines?: number;
  /** Whether what the engine must keep is checked after every step. Default true. */
  readonly invariants?: boolean;
}

/** One simulated execution. */
export interface SimulationReport<Outs> {
  readonly seed: number;
  /** Undefined where the execution failed. */
  readonly outputs: Outs | undefined;
  readonly error: Error | undefined;
  /** Faults that struck. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The same by the phase in which they struck. */
  readonly faultPhases: Readonly<Partial<Record<Phase | "starting", number>>>;
  /** How often the execution entered each phase. */
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  /** Virtual milliseconds until the session was closed. */
  readonly virtualMs: number;
  readonly events: number;
  /** Tasks that channels ran, those that were run again included. */
  readonly tasks: number;
  readonly messages: Readonly<NetworkCounts>;
  /** What is left of the execution though it is over: files on drives, executions in the store, messages. */
  readonly leftBehind: readonly string[];
  /** What sinks wrote, by path. It is in memory: nothing is written in the real world. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly trace: Trace;
}

const faultsWithinDefault = 50;
const finishWithinDefault = 60_000;
const leaseDefault = 1000;
// Bytes of structured clone vary with how the engine holds numbers: what is done in a simulated world must not depend on them.
const wholeDefault: WholePolicy = { belowBytes: 0, changesShare: Infinity, changesMost: 2 };
/** Where large checkpoints are, of seeds with faults of such a place: nothing of it is in the real world. */
const blobsPath = "/qstream-simulated-checkpoints";
/** Bytes above which a checkpoint goes there: all do. */
const blobsAboveBytes = 0;
/** Milliseconds after which somebody tries again to go on with an execution whose store couldn't be reached. */
const resumeAgainMs = 40;

/**
 * Runs a flow in a simulated world: scheduler, slots, channels and lineage as everywhere, in this thread, on a virtual
 * clock, with a virtual network and disks. The same seed gives the same run. An execution that fails is reported, not thrown.
 *
 * @param options - the seed, and what may go wrong
 * @example
 * const { outputs, trace } = await simulate(wordcount, { path: "books/*.txt" }, { seed: 7, faults: ["pause", "delay"] });
 */
export async function simulate<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: SimulationOptions,
): Promise<SimulationReport<Outs>> {
  return new SimulatedWorld(options).run(flow, args);
}

function observerOf(waiting: WaitingCode, invariants: Invariants | undefined): SlotWatch {
  return {
    ordered: (slot, order) => {
      waiting.ordered(order);
      invariants?.ordered(order, slot);
    },
    reported: (_slot, report) => invariants?.reported(report),
  };
}

/** Everything around one simulated execution. */
class SimulatedWorld {
  readonly #options: SimulationOptions;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #network: VirtualNetwork;
  readonly #store: FaultyStore | undefined;
  readonly #faults: FaultInjector;
  readonly #files = new MemoryFiles(openFileSystem());
  readonly #blobs: PlaceTrouble | undefined;
  readonly #invariants: Invariants | undefined;
  readonly #waiting: WaitingCode;
  readonly #clientOptions: SimulatedClientOptions;
  #client: SimulatedClient;
  /** True while an execution runs that somebody could go on with. */
  #running = false;
  #downMs = 0;
  /** How often the place of large checkpoints had refused something when the execution was done. */
  #refusedBefore = 0;
  #letTimePass: () => void = () => {};

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, leaseMs = leaseDefault, faultsWithinMs = faultsWithinDefault, faults: kinds = [] } = options;
    const random = (salt: number): Random => seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ salt);
    const clock = new VirtualClock({ random: random(1), stuck: (what) => this.#waiting.explain(what) });
    const waiting = new WaitingCode(clock);
    const trace = new Trace(options.traceLines);
    const countMax = options.faultsMax === undefined ? {} : { countMax: options.faultsMax };
    const faults = drawFaults(Math.imul(seed + 1, 0x85ebca6b), { kinds, withinMs: faultsWithinMs, ...countMax });
    const { store: make = () => new MemoryStore() } = options;
    const blobs = faults.some(({ kind }) => kind === "blobs-away" || kind === "blobs-slow");
    const trouble = blobs && make !== "none" ? new PlaceTrouble(blobsPath) : undefined;
    // Without a store nothing is logged that could be looked at.
    const looks = make !== "none" && options.invariants !== false;
    const invariants = looks ? this.#makeInvariants(trouble === undefined) : undefined;
    const network = new VirtualNetwork({
      clock,
      random: random(2),
      trace,
      ...(invariants === undefined ? {} : { onMessage: (message) => invariants.sent(message) }),
    });
    const onCall = (name: StoreCall, moment: "begun" | "answered"): void => this.#storeCalled(name, moment);
    const observed = { trace, onCall, observer: invariants };
    const store = make === "none" ? undefined : new FaultyStore({ clock, random: random(3), make, ...observed });
    this.#invariants = invariants;
    this.#waiting = waiting;
    this.#clock = clock;
    this.#trace = trace;
    this.#network = network;
    this.#store = store;
    this.#blobs = trouble;
    this.#faults = new FaultInjector({
      clock,
      network,
      slots: () => this.#client.slots,
      store: () => store,
      blobs: trouble,
      restart: (downMs) => this.#kill(downMs),
      trace,
      faults,
      withinMs: faultsWithinMs,
      leaseMs,
    });
    const slots = {
      clock,
      random: random(4),
      network,
      trace,
      watch: this.#faults.watch,
      observer: observerOf(waiting, invariants),
      files: this.#files,
      waiting,
      trouble,
      ...(options.machines === undefined ? {} : { machines: options.machines }),
    };
    const { checkpointEveryMs = 20, attempts = 3, wholeCheckpoints = wholeDefault } = options;
    this.#clientOptions = {
      slots,
      slotCount: options.slots ?? 3,
      leaseMs,
      store,
      seed,
      checkpointEveryMs,
      attempts,
      wholeCheckpoints,
      blobs: trouble === undefined ? undefined : { path: blobsPath, aboveBytes: blobsAboveBytes },
    };
    this.#client = this.#openClient();
  }

  async run<Args extends object, Outs extends Record<string, unknown>>(
    flow: Flow<Args, Outs>,
    args: Args,
  ): Promise<SimulationReport<Outs>> {
    // Loaded in real time, which virtual time wouldn't wait for: the first run would be another than all later ones.
    await loadBatches();
    const clock = this.#clock;
    const state: { outputs?: Outs; error?: Error; execution?: Execution<Outs> } = {};
    const failed = (error: unknown): void => {
      state.error ??= error instanceof Error ? error : new Error(String(error));
    };
    const work = this.#work(flow, args, state).catch(failed);
    // A rejection that nobody handles is a defect, and would end the process without naming the seed.
    const unhandled = (error: unknown): void => clock.fail(error);
    process.on("unhandledRejection", unhandled);
    try {
      await clock.run({ settled: work });
    } catch (error) {
      failed(error);
    } finally {
      process.off("unhandledRejection", unhandled);
      await this.#files.close();
    }
    const { error } = state;
    if (error !== undefined) this.#trace.add(clock.monotonic(), "execution", `failed: ${withoutIds(error.message)}`);
    const steps = state.execution?.metrics?.steps ?? [];
    return {
      seed: this.#options.seed,
      outputs: error === undefined ? state.outputs : undefined,
      error,
      faults: Object.fromEntries(this.#faults.byKind),
      faultPhases: Object.fromEntries(this.#faults.byPhase),
      phases: Object.fromEntries(this.#faults.entered),
      virtualMs: clock.monotonic(),
      events: clock.events,
      tasks: steps.reduce((sum, { metrics }) => sum + metrics.tasks, 0),
      messages: this.#network.counts,
      leftBehind: error === undefined ? await this.#leftBehind() : [],
      files: this.#filesOfUsers(),
      trace: this.#trace,
    };
  }

  #makeInvariants(storeOnly: boolean): Invariants {
    return new Invariants((what) => this.#violated(what), {
      storeOnly,
      drives: () => this.#client.slots.living,
      wholeOf: (kept) => {
        const pointer = pointerIn(kept);
        return pointer === undefined ? kept : this.#files.look(`${pointer.place}/${pointer.name}`);
      },
    });
  }

  #violated(what: string): void {
    this.#trace.add(this.#clock.monotonic(), "invariants", what);
    this.#clock.fail(new Error(`an invariant doesn't hold: ${what}`));
  }

  #openClient(): SimulatedClient {
    const client = new SimulatedClient(this.#clientOptions);
    client.slots.reachabilityChanged();
    return client;
  }

  async #work<Args extends object, Outs extends Record<string, unknown>>(
    flow: Flow<Args, Outs>,
    args: Args,
    state: { outputs?: Outs; execution?: Execution<Outs> },
  ): Promise<void> {
    const { limits = {}, strict = true, verifyReplay = false } = this.#options;
    const start = flow.start as (args: Args, options: object) => Promise<Execution<Outs>>;
    try {
      state.execution = await start(args, { on: this.#client.session, limits, strict, verifyReplay });
      this.#arm();
      while (state.outputs === undefined) {
        this.#running = true;
        // oxlint-disable-next-line no-await-in-loop -- one life after the other
        const outputs = await Promise.race([state.execution.outputs, this.#client.killed]);
        this.#running = false;
        if (outputs === undefined) state.execution = (await this.#goOn(state.execution.id)) as Execution<Outs>;
        else state.outputs = outputs;
      }
      this.#refusedBefore = this.#blobs?.refused ?? 0;
      this.#invariants?.ended();
      this.#trace.add(this.#clock.monotonic(), "execution", "done");
    } finally {
      this.#running = false;
      await this.#client.session.close();
    }
  }

  /** Everything is dead: another life goes on with the execution, as `--resume` does. */
  async #goOn(execution: string): Promise<Execution<Record<string, unknown>>> {
    const { started } = this.#client.session;
    for (;;) {
      await delay(this.#clock, this.#downMs);
      this.#invariants?.restarted();
      this.#client = this.#openClient();
      this.#trace.add(this.#clock.monotonic(), "client", "goes on with the execution");
      this.#running = true;
      const resumed = this.#client.resume(execution, started).catch((error: unknown) => {
        if (!(error instanceof QStreamError) || error.code !== "STORE_UNAVAILABLE") throw error;
        // Whoever wants the result tries again.
        if (this.#kill(resumeAgainMs)) this.#trace.add(this.#clock.monotonic(), "client", error.message);
        return undefined;
      });
      const found = await Promise.race([resumed, this.#client.killed]).finally(() => this.#letTimePass());
      if (found !== undefined) return found;
    }
  }

  #kill(downMs: number): boolean {
    if (!this.#running || this.#store === undefined) return false;
    this.#running = false;
    this.#downMs = downMs;
    this.#client.kill();
    return true;
  }

  /** Before an execution is gone on with, sinks may look at real files: until the store's next call no virtual time passes. */
  #storeCalled(name: StoreCall, moment: "begun" | "answered"): void {
    if (moment === "begun") {
      this.#letTimePass();
      this.#faults.storeCalled(name);
    } else if (name === "find") {
      void this.#clock.real(() => new Promise<void>((resolve) => (this.#letTimePass = resolve)));
    }
  }

  /**
   * From now on faults strike, and the end is due. Before, the session may look at files, for which no time must pass: it is
   * waited for because nothing else happens.
   */
  #arm(): void {
    const { faultsWithinMs = faultsWithinDefault, finishWithinMs = finishWithinDefault } = this.#options;
    const clock = this.#clock;
    const late = `the execution hasn't ended ${finishWithinMs} ms after all faults`;
    this.#faults.arm();
    clock.after(faultsWithinMs + finishWithinMs, () => clock.fail(this.#waiting.explain(late)));
  }

  #filesOfUsers(): ReadonlyMap<string, Uint8Array> {
    const { written } = this.#files;
    if (this.#blobs === undefined) return written;
    return new Map([...written].filter(([path]) => this.#blobs?.holds(path) !== true));
  }

  async #leftBehind(): Promise<readonly string[]> {
    const left: string[] = [];
    const { slots } = this.#client;
    for (const { id, drive } of slots.closed) {
      for (const { name } of drive.files) left.push(`file ${name} on the drive of ${id}`);
    }
    for (const path of this.#files.hidden) if (this.#blobs?.holds(path) !== true) left.push(`file ${path}`);
    if (slots.actorsLeft > 0) left.push(`${slots.actorsLeft} actors in slots`);
    return [...left, ...(await this.#leftInStore())];
  }

  /** An execution that is done doesn't wait for a store or a place that can't be reached: what is there stays there. */
  async #leftInStore(): Promise<readonly string[]> {
    const store = this.#store;
    if (store === undefined || store.mayRemain) return [];
    const left = (await store.look()).map(({ status }) => `an execution in the store, ${status}`);
    const blobs = this.#blobs;
    if (blobs === undefined || blobs.refused > this.#refusedBefore) return left;
    return [...left, ...[...this.#files.written.keys()].filter((path) => blobs.holds(path))];
  }
}
