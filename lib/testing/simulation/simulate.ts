import { loadBatches } from "../../core/batch/index.ts";
import type { LineageStore } from "../../core/contracts/lineage-store.ts";
import type { Limits } from "../../core/limits.ts";
import { seededRandom, type Random } from "../../core/seam/random.ts";
import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { LaunchOptions } from "../../../actors/slots/slot-launcher.ts";
import type { Flow } from "../../flow/define-flow.ts";
import type { Execution } from "../../flow/execution.ts";
import { Session, type LaunchHooks } from "../../flow/session.ts";
import { withoutIds } from "./describe.ts";
import { FaultInjector } from "./fault-injector.ts";
import { drawFaults, type FaultKind, type Phase } from "./faults.ts";
import { openFileSystem } from "../../files/index.ts";
import { FaultyStore, type StoreCall } from "./faulty-store.ts";
import { Invariants } from "./invariants.ts";
import { MemoryFiles } from "./memory-files.ts";
import { SimulatedSlots } from "./simulated-slots.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { VirtualNetwork, type NetworkCounts } from "./virtual-network.ts";

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
const wholeDefault: WholePolicy = { belowBytes: 0, changesShare: 1, changesMost: 2 };

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

/** Everything around one simulated execution. */
class SimulatedWorld {
  readonly #options: SimulationOptions;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #network: VirtualNetwork;
  readonly #store: FaultyStore | undefined;
  readonly #faults: FaultInjector;
  readonly #slots: SimulatedSlots;
  readonly #session: Session;
  readonly #files = new MemoryFiles(openFileSystem());
  readonly #invariants: Invariants | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const { seed, leaseMs = leaseDefault, faultsWithinMs = faultsWithinDefault, faults = [] } = options;
    const random = (salt: number): Random => seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ salt);
    const clock = new VirtualClock({ random: random(1) });
    const trace = new Trace(options.traceLines);
    const { store: make = () => new MemoryStore() } = options;
    // Without a store nothing is logged that could be looked at.
    const looks = make !== "none" && options.invariants !== false;
    const invariants = looks ? new Invariants((what) => this.#violated(what)) : undefined;
    const network = new VirtualNetwork({
      clock,
      random: random(2),
      trace,
      ...(invariants === undefined ? {} : { onMessage: (message) => invariants.sent(message) }),
    });
    const onCall = (name: StoreCall, moment: "begun" | "answered"): void => {
      if (moment === "begun") this.#faults.storeCalled(name);
    };
    const observed = { trace, onCall, observer: invariants };
    const store = make === "none" ? undefined : new FaultyStore({ clock, random: random(3), make, ...observed });
    this.#invariants = invariants;
    this.#clock = clock;
    this.#trace = trace;
    this.#network = network;
    this.#store = store;
    const countMax = options.faultsMax === undefined ? {} : { countMax: options.faultsMax };
    this.#faults = new FaultInjector({
      clock,
      network,
      slots: () => this.#slots,
      store: () => store,
      trace,
      faults: drawFaults(Math.imul(seed + 1, 0x85ebca6b), { kinds: faults, withinMs: faultsWithinMs, ...countMax }),
      withinMs: faultsWithinMs,
      leaseMs,
    });
    const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {} };
    this.#slots = new SimulatedSlots(launchOptions(options.slots ?? 3, leaseMs, hooks), {
      clock,
      random: random(4),
      network,
      trace,
      watch: this.#faults.watch,
      observer: {
        ordered: (_slot, order) => invariants?.ordered(order),
        reported: (_slot, report) => invariants?.reported(report),
      },
      files: this.#files,
      ...(options.machines === undefined ? {} : { machines: options.machines }),
    });
    const { checkpointEveryMs = 20, attempts = 3, wholeCheckpoints = wholeDefault } = options;
    const world = { clock, host: this.#slots.turnHost(clock), store, files: this.#files, wholeCheckpoints };
    this.#session = new Session({ checkpointEveryMs, attempts, seed }, this.#slots, hooks, world);
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
      files: this.#files.written,
      trace: this.#trace,
    };
  }

  #violated(what: string): void {
    this.#trace.add(this.#clock.monotonic(), "invariants", what);
    this.#clock.fail(new Error(`an invariant doesn't hold: ${what}`));
  }

  async #work<Args extends object, Outs extends Record<string, unknown>>(
    flow: Flow<Args, Outs>,
    args: Args,
    state: { outputs?: Outs; execution?: Execution<Outs> },
  ): Promise<void> {
    const { limits = {}, strict = true, verifyReplay = false } = this.#options;
    const start = flow.start as (args: Args, options: object) => Promise<Execution<Outs>>;
    try {
      state.execution = await start(args, { on: this.#session, limits, strict, verifyReplay });
      this.#arm();
      state.outputs = await state.execution.outputs;
      this.#invariants?.ended();
      this.#trace.add(this.#clock.monotonic(), "execution", "done");
    } finally {
      await this.#session.close();
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
    clock.after(faultsWithinMs + finishWithinMs, () => clock.fail(new Error(late)));
  }

  async #leftBehind(): Promise<readonly string[]> {
    const left: string[] = [];
    for (const { id, drive } of this.#slots.closed) {
      for (const { name } of drive.files) left.push(`file ${name} on the drive of ${id}`);
    }
    for (const { status } of (await this.#store?.look()) ?? []) left.push(`an execution in the store, ${status}`);
    for (const path of this.#files.hidden) left.push(`file ${path}`);
    if (this.#slots.actorsLeft > 0) left.push(`${this.#slots.actorsLeft} actors in slots`);
    return left;
  }
}

function launchOptions(slots: number, leaseMs: number, hooks: LaunchHooks): LaunchOptions {
  return {
    ids: Array.from({ length: slots }, (_, index) => `slot-${index}`),
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
