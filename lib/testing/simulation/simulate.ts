import { loadBatches } from "../../core/batch/index.ts";
import { seededRandom, type Random } from "../../core/seam/random.ts";
import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import { MemoryStore } from "../../../actors/stores/memory-store.ts";
import type { Flow } from "../../flow/define-flow.ts";
import { withoutIds } from "./describe.ts";
import { FaultInjector } from "./fault-injector.ts";
import { drawFaults } from "./faults.ts";
import { FlowUser } from "./flow-user.ts";
import { openFileSystem } from "../../files/index.ts";
import { FaultyStore, type FaultyStoreOptions, type StoreCall } from "./faulty-store.ts";
import { InvariantsByExecution } from "./invariants-by-execution.ts";
import { OperatorsOfWorld } from "./live-operators.ts";
import { MemoryFiles } from "./memory-files.ts";
import type { SimulatedClientOptions } from "./simulated-client.ts";
import type { SimulatedSlotsOptions, SlotWatch } from "./simulated-slots.ts";
import type { SimulationOptions, SimulationReport } from "./simulation-options.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { PlaceTrouble } from "./virtual-files.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { WaitingCode } from "./waiting-code.ts";

const faultsWithinDefault = 50;
const finishWithinDefault = 60_000;
const leaseDefault = 1000;
const slotsDefault = 3;
// Bytes of structured clone vary with how the engine holds numbers: what is done in a simulated world must not depend on them.
const wholeDefault: WholePolicy = { belowBytes: 0, changesShare: Infinity, changesMost: 2 };
/** Where large checkpoints are, of seeds with faults of such a place: nothing of it is in the real world. */
const blobsPath = "/qstream-simulated-checkpoints";
/** Bytes above which a checkpoint goes there: all do. */
const blobsAboveBytes = 0;

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
  return new SimulatedWorld<Outs>(options).run(flow, args);
}

function clientOptionsOf(
  options: SimulationOptions,
  world: Pick<SimulatedClientOptions, "slots" | "store" | "leaseMs" | "blobs">,
): SimulatedClientOptions {
  const { seed, checkpointEveryMs = 20, attempts = 3, wholeCheckpoints = wholeDefault, rebalances } = options;
  const slotCount = options.slots ?? slotsDefault;
  return { ...world, slotCount, seed, checkpointEveryMs, attempts, wholeCheckpoints, rebalances };
}

function observerOf(waiting: WaitingCode, invariants: InvariantsByExecution | undefined): SlotWatch {
  return {
    ordered: (slot, order) => {
      waiting.ordered(order);
      invariants?.ordered(order, slot);
    },
    reported: (_slot, report) => invariants?.reported(report),
  };
}

/** Everything around simulated executions. */
class SimulatedWorld<Outs extends Record<string, unknown>> {
  readonly #options: SimulationOptions;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #network: VirtualNetwork;
  readonly #store: FaultyStore | undefined;
  readonly #faults: FaultInjector;
  readonly #files = new MemoryFiles(openFileSystem());
  readonly #blobs: PlaceTrouble | undefined;
  readonly #invariants: InvariantsByExecution | undefined;
  readonly #waiting: WaitingCode;
  readonly #user: FlowUser<Outs>;
  /** How often the place of large checkpoints had refused something when the execution was done. */
  #refusedBefore = 0;

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
    const invariants = looks ? this.#makeInvariants(options.atOnce ?? 1, trouble === undefined) : undefined;
    const network = new VirtualNetwork({
      clock,
      random: random(2),
      trace,
      ...(invariants === undefined ? {} : { onMessage: (message) => invariants.sent(message) }),
    });
    const seen = { trace, ...invariants?.ofStore };
    // What is stopped is gone on with, which isn't meant to be where a store ends with its process.
    const outlives = faults.some(({ kind }) => kind === "stop");
    const store = make === "none" ? undefined : this.#makeStore({ clock, random: random(3), make, outlives, ...seen });
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
      slots: () => this.#user.client.slots,
      store: () => store,
      blobs: trouble,
      restart: (downMs) => this.#user.kill(downMs),
      stop: (how, downMs) => this.#user.stop(how, downMs),
      rebalance: (which, grows) => this.#user.rebalance(which, grows),
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
      operators: this.#operatorsFor(waiting),
      trouble,
      taskMs: options.taskMs,
      ...(options.machines === undefined ? {} : { machines: options.machines }),
    };
    const place = trouble === undefined ? undefined : { path: blobsPath, aboveBytes: blobsAboveBytes };
    const client = clientOptionsOf(options, { slots, store, leaseMs, blobs: place });
    this.#user = new FlowUser({ clock, trace, invariants, options, client, random: random(5) });
  }

  async run<Args extends object>(flow: Flow<Args, Outs>, args: Args): Promise<SimulationReport<Outs>> {
    // Loaded in real time, which virtual time wouldn't wait for: the first run would be another than all later ones.
    await loadBatches();
    const clock = this.#clock;
    const state: { error?: Error } = {};
    const failed = (error: unknown): void => {
      state.error ??= error instanceof Error ? error : new Error(String(error));
    };
    const work = this.#work(flow, args).catch(failed);
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
    const { outputs, living, moves, rescaled } = this.#user;
    if (error !== undefined) this.#trace.add(clock.monotonic(), "execution", `failed: ${withoutIds(error.message)}`);
    const steps = living.flatMap(({ metrics }) => metrics?.steps ?? []);
    return {
      seed: this.#options.seed,
      outputs: error === undefined ? outputs[0] : undefined,
      others: error === undefined ? outputs.slice(1) : [],
      error,
      faults: Object.fromEntries(this.#faults.byKind),
      faultPhases: Object.fromEntries(this.#faults.byPhase),
      phases: Object.fromEntries(this.#faults.entered),
      moves,
      rescaled,
      virtualMs: clock.monotonic(),
      events: clock.events,
      tasks: steps.reduce((sum, { metrics }) => sum + metrics.tasks, 0),
      messages: this.#network.counts,
      leftBehind: error === undefined ? await this.#leftBehind() : [],
      files: this.#filesOfUsers(),
      trace: this.#trace,
    };
  }

  #makeStore(options: FaultyStoreOptions): FaultyStore {
    const onCall = (name: StoreCall, moment: "begun" | "answered"): void => {
      if (moment === "begun") this.#faults.storeCalled(name);
    };
    return new FaultyStore({ ...options, onCall });
  }

  #makeInvariants(atOnce: number, storeOnly: boolean): InvariantsByExecution {
    return new InvariantsByExecution((what) => this.#violated(what), {
      storeOnly,
      atOnce,
      drives: () => this.#user.client.slots.living,
      files: this.#files,
    });
  }

  #operatorsFor(waiting: WaitingCode): SimulatedSlotsOptions["operators"] {
    const { onTask } = this.#options;
    if (onTask === undefined) return undefined;
    const operators = new OperatorsOfWorld(() => this.#clock.monotonic(), waiting);
    const changed = (isTask: boolean): void => {
      try {
        onTask(operators);
      } catch (error) {
        this.#clock.fail(error);
      }
      if (isTask) operators.tasks++;
    };
    return { of: operators, changed };
  }

  #violated(what: string): void {
    this.#trace.add(this.#clock.monotonic(), "invariants", what);
    this.#clock.fail(new Error(`an invariant doesn't hold: ${what}`));
  }

  async #work<Args extends object>(flow: Flow<Args, Outs>, args: Args): Promise<void> {
    try {
      await this.#user.run(flow, args, () => this.#arm());
      this.#refusedBefore = this.#blobs?.refused ?? 0;
      this.#invariants?.ended();
      this.#trace.add(this.#clock.monotonic(), "execution", "done");
    } finally {
      await this.#user.close();
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
    const { client, leftAtStops } = this.#user;
    const left = [...leftAtStops, ...client.leftBehind];
    for (const path of this.#files.hidden) if (this.#blobs?.holds(path) !== true) left.push(`file ${path}`);
    return [...left, ...(await this.#leftInStore())];
  }

  /** An execution that is done doesn't wait for a store or a place that can't be reached: what is there stays there. */
  async #leftInStore(): Promise<readonly string[]> {
    const store = this.#store;
    if (store === undefined || store.mayRemain || this.#user.doneAtKill) return [];
    const left = (await store.look()).map(({ status }) => `an execution in the store, ${status}`);
    const blobs = this.#blobs;
    if (blobs === undefined || blobs.refused > this.#refusedBefore) return left;
    return [...left, ...[...this.#files.written.keys()].filter((path) => blobs.holds(path))];
  }
}
