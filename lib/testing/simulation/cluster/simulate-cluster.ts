import { CoordinationBoard } from "../../../../actors/stores/memory-coordination.ts";
import { MemoryStore } from "../../../../actors/stores/memory-store.ts";
import type { Submission } from "../../../cluster/protocol.ts";
import { loadBatches } from "../../../core/batch/index.ts";
import type { Limits } from "../../../core/limits.ts";
import { delay } from "../../../core/seam/clock.ts";
import { seededRandom, type Random } from "../../../core/seam/random.ts";
import { openFileSystem } from "../../../files/index.ts";
import type { Flow } from "../../../flow/define-flow.ts";
import { withoutIds } from "../describe.ts";
import { MemoryFiles } from "../memory-files.ts";
import { Trace } from "../trace.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { VirtualNetwork } from "../virtual-network.ts";
import { drawClusterFaults, strike, type ClusterFaultKind, type ClusterUnderFaults } from "./cluster-faults.ts";
import { HeadInvariants, LineageInvariants } from "./cluster-invariants.ts";
import { startOf, SimulatedUser } from "./simulated-user.ts";
import { headPort, SimulatedHead, type SimulatedDriver } from "./simulated-head.ts";
import { SimulatedMachine } from "./simulated-machine.ts";
import { SimulatedProcess, type ClusterSurroundings } from "./simulated-process.ts";
import { VirtualSockets, type SocketCounts } from "./virtual-sockets.ts";

export interface ClusterSimulationOptions {
  /** Everything that may vary follows from it. */
  readonly seed: number;
  /** Kinds of faults that strike; none unless told. */
  readonly faults?: readonly ClusterFaultKind[];
  /** Virtual milliseconds after the flow was submitted within which faults begin. Default 1,000. */
  readonly faultsWithinMs?: number;
  /** Faults at most. Default 5. */
  readonly faultsMax?: number;
  /** Machines at first. Default 3. */
  readonly machines?: number;
  /** Slots of each. Default 1. */
  readonly slots?: number;
  /** Heads: one leads, the others wait. Default 2. */
  readonly heads?: number;
  /** Virtual milliseconds of all leases. Default 1,000. */
  readonly leaseMs?: number;
  /** Virtual milliseconds between two checkpoints of a channel. Default 50. */
  readonly checkpointEveryMs?: number;
  readonly limits?: Partial<Limits>;
  /** Virtual milliseconds within which the execution must end, and the cluster come to rest, once faults are over. Default 60,000. */
  readonly finishWithinMs?: number;
  /** Lines of the trace that are kept. Default 20,000; 0 keeps its checksum only. */
  readonly traceLines?: number;
  /** Called when the flow has been submitted, to do to the cluster what it wants. */
  readonly script?: (cluster: ClusterUnderFaults) => void;
}

/** One execution on a simulated cluster. */
export interface ClusterSimulationReport<Outs> {
  readonly seed: number;
  /** Undefined where the execution failed. */
  readonly outputs: Outs | undefined;
  readonly error: Error | undefined;
  /** Faults that struck. */
  readonly faults: Readonly<Partial<Record<ClusterFaultKind, number>>>;
  readonly virtualMs: number;
  /** Virtual milliseconds from the flow's submission to its outputs. */
  readonly executionMs: number;
  readonly events: number;
  /** How often a head began to lead, and writes of others that were refused. */
  readonly reigns: number;
  readonly writesRefused: number;
  /** Commits that were refused because their channel had been given to somebody else. */
  readonly commitsRefused: number;
  readonly drivers: number;
  /** Names that machines had: one for each life in the cluster. */
  readonly machines: number;
  /** Orders to slots to say where they stand, because something was lost. */
  readonly surveys: number;
  /** Lives of channels that were started in place of others. */
  readonly moves: number;
  readonly sockets: Readonly<SocketCounts>;
  /** What is left of the execution though it is over. */
  readonly leftBehind: readonly string[];
  readonly trace: Trace;
}

const leaseDefault = 1000;
const faultsWithinDefault = 1000;
const faultsMaxDefault = 5;
const finishWithinDefault = 60_000;
const headAgainMs = 100;
const lookMs = 50;
// No fault takes longer.
const healLeases = 5;
/** Names the code of all flows, which is here already. */
export const bundleHash: string = "0".repeat(64);

/**
 * Runs a flow on a simulated cluster: heads, drivers, workers, machines and their wires as everywhere, as processes of one thread, on
 * a virtual clock, with virtual sockets and what Redis keeps in memory. The same seed gives the same run.
 *
 * @param options - the seed, and what may go wrong
 */
export async function simulateCluster<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  options: ClusterSimulationOptions,
): Promise<ClusterSimulationReport<Outs>> {
  // Loaded in real time, which virtual time wouldn't wait for.
  await loadBatches();
  const { reference, args: encoded } = await startOf(flow, args);
  const { limits, seed } = options;
  const submission: Submission = {
    module: reference.module,
    flow: reference.name,
    args: encoded,
    options: limits === undefined ? { strict: true } : { strict: true, limits },
    bundle: bundleHash,
    detach: false,
  };
  const world = new SimulatedCluster({ ...options, seed });
  return (await world.run(submission)) as ClusterSimulationReport<Outs>;
}

/** Names that follow from the order in which they are asked for. */
export function numberedNames(): (prefix: string) => string {
  const numbers = new Map<string, number>();
  return (prefix) => {
    const number = (numbers.get(prefix) ?? 0) + 1;
    numbers.set(prefix, number);
    return `${prefix}-${number}`;
  };
}

class SimulatedCluster implements ClusterUnderFaults {
  readonly #options: ClusterSimulationOptions;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #around: ClusterSurroundings;
  readonly #heads: SimulatedHead[] = [];
  readonly #machines: SimulatedMachine[] = [];
  readonly #drivers: SimulatedDriver[] = [];
  readonly #lineage: LineageInvariants;
  readonly #files = new MemoryFiles(openFileSystem());
  readonly #store = new MemoryStore();
  readonly #struck = new Map<ClusterFaultKind, number>();
  readonly #watch = {
    ordered: (_: string, { kind, ...order }: { readonly kind: string; readonly channels?: unknown }): void => {
      if (kind === "survey") this.#surveys++;
      else if (kind === "recover" && Array.isArray(order.channels)) this.#moves += order.channels.length;
    },
  };
  readonly random: Random;
  #surveys = 0;
  #moves = 0;
  #hosts = 0;
  #executionMs = 0;
  /** Nothing more goes wrong. */
  #healed = false;
  /** When all that did is over. */
  #faultsUntilMs = 0;
  #closing = false;

  constructor(options: ClusterSimulationOptions) {
    this.#options = options;
    const random = (salt: number): Random => seededRandom(Math.imul(options.seed + 1, 0x9e3779b1) ^ salt);
    const clock = new VirtualClock({ random: random(1) });
    const trace = new Trace(options.traceLines);
    const violated = (what: string): void => {
      trace.add(clock.monotonic(), "invariants", what);
      clock.fail(new Error(`an invariant doesn't hold: ${what}`));
    };
    this.random = random(5);
    this.#clock = clock;
    this.#trace = trace;
    this.#lineage = new LineageInvariants(violated);
    this.#around = {
      clock,
      random: random(2),
      trace,
      sockets: new VirtualSockets({ clock, random: random(3), trace }),
      network: new VirtualNetwork({ clock, random: random(4), trace }),
      board: new CoordinationBoard(clock),
      lineage: this.#lineage.watch(this.#store),
      files: this.#files,
      heads: new HeadInvariants(clock, violated),
      freshId: numberedNames(),
    };
  }

  async run(submission: Submission): Promise<ClusterSimulationReport<Record<string, unknown>>> {
    const clock = this.#clock;
    const state: { outputs?: Record<string, unknown>; error?: Error; left?: readonly string[] } = {};
    const failed = (error: unknown): void => {
      state.error ??= error instanceof Error ? error : new Error(String(error));
    };
    const work = this.#work(submission, state).catch(failed);
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
    const { heads, sockets } = this.#around;
    return {
      seed: this.#options.seed,
      outputs: error === undefined ? state.outputs : undefined,
      error,
      faults: Object.fromEntries(this.#struck),
      virtualMs: clock.monotonic(),
      executionMs: this.#executionMs,
      events: clock.events,
      reigns: heads.reigns,
      writesRefused: heads.refused,
      commitsRefused: this.#lineage.refused,
      drivers: this.#drivers.length,
      machines: this.#machines.reduce((sum, { names }) => sum + names.length, 0),
      surveys: this.#surveys,
      moves: this.#moves,
      sockets: sockets.counts,
      leftBehind: state.left ?? [],
      trace: this.#trace,
    };
  }

  get sockets(): VirtualSockets {
    return this.#around.sockets;
  }

  get leaseMs(): number {
    return this.#options.leaseMs ?? leaseDefault;
  }

  get machines(): readonly SimulatedMachine[] {
    return this.#machines.filter(({ process: { dead } }) => !dead);
  }

  get heads(): readonly SimulatedHead[] {
    return this.#heads.filter(({ process: { dead } }) => !dead);
  }

  get drivers(): readonly SimulatedDriver[] {
    return this.#drivers.filter(({ process: { dead } }) => !dead);
  }

  readonly after = (ms: number, action: () => void): void => {
    this.#faultsUntilMs = Math.max(this.#faultsUntilMs, this.#clock.monotonic() + ms);
    this.#clock.after(ms, () => {
      if (!this.#closing) action();
    });
  };

  startMachine(host: string = `host-${this.#hosts++}`): void {
    const { slots = 1 } = this.#options;
    const { leaseMs } = this;
    const name = this.#around.freshId(`worker of ${host}`);
    const options = { host, join: this.#headUrls, slots, leaseMs, watch: this.#watch };
    this.#machines.push(SimulatedMachine.start(name, options, this.#around));
  }

  startHead(host: string): void {
    const { checkpointEveryMs = 50, seed } = this.#options;
    const driverStarted = (driver: SimulatedDriver): void => void this.#drivers.push(driver);
    const options = { host, leaseMs: this.leaseMs, checkpointEveryMs, seed, driverStarted };
    const head = SimulatedHead.start(this.#around.freshId(`process of ${host}`), options, this.#around);
    this.#heads.push(head);
    head.process.onEnd(() => {
      // Where it couldn't come up; of one that is killed, whoever did that starts it again.
      if (!head.wasUp) this.after(headAgainMs, () => this.startHead(host));
    });
  }

  get #headUrls(): readonly string[] {
    const { heads = 2 } = this.#options;
    return Array.from({ length: heads }, (_, index) => `ws://head-${index}:${headPort}`);
  }

  async #work(
    submission: Submission,
    state: { outputs?: Record<string, unknown>; left?: readonly string[] },
  ): Promise<void> {
    const { machines = 3, heads = 2 } = this.#options;
    const { board, sockets } = this.#around;
    board.bundles.set(bundleHash, { bytes: new Uint8Array(1), usedMs: Infinity });
    for (let index = 0; index < heads; index++) this.startHead(`head-${index}`);
    for (let index = 0; index < machines; index++) this.startMachine();
    const user = new SimulatedUser({
      process: new SimulatedProcess("user", "user", this.#around),
      heads: this.#headUrls,
      submission,
      leaseMs: this.leaseMs,
    });
    await this.#until("all machines have joined", () => board.machines.size === machines);
    this.#arm();
    const submittedAt = this.#clock.monotonic();
    state.outputs = await user.run();
    this.#executionMs = this.#clock.monotonic() - submittedAt;
    this.#trace.add(this.#clock.monotonic(), "user", "has the outputs");
    await this.#heal();
    let left: readonly string[] = [];
    await this.#until("nothing is left of the execution", () => (left = this.#leftBehind()).length === 0).catch(
      () => {},
    );
    this.#closing = true;
    await Promise.all(this.machines.map((machine) => machine.close()));
    await Promise.all(this.heads.map((head) => head.close()));
    sockets.joinAll();
    state.left = [...left, ...this.#machines.flatMap(({ leftBehind }) => leftBehind)];
    const kept = (await this.#store.list()).filter(({ execution }) => !this.#lineage.late.has(execution));
    if (kept.length > 0) state.left = [...state.left, `${kept.length} executions in the store`];
  }

  /** From now on faults strike, and the end is due. */
  #arm(): void {
    const { seed, faults = [], faultsWithinMs = faultsWithinDefault, faultsMax = faultsMaxDefault } = this.#options;
    const clock = this.#clock;
    const drawn = drawClusterFaults(Math.imul(seed + 1, 0x85ebca6b), {
      kinds: faults,
      withinMs: faultsWithinMs,
      countMax: faultsMax,
    });
    for (const fault of drawn) {
      this.after(fault.atMs, () => {
        const done = this.#healed ? undefined : strike(this, fault);
        if (done === undefined) return;
        this.#trace.add(clock.monotonic(), "fault", `${fault.kind}: ${done}`);
        this.#struck.set(fault.kind, (this.#struck.get(fault.kind) ?? 0) + 1);
      });
    }
    this.#options.script?.(this);
    const late = faultsWithinMs + this.#finishWithinMs;
    clock.after(late, () => {
      if (!this.#closing)
        clock.fail(new Error(`the execution hasn't ended ${this.#finishWithinMs} ms after all faults`));
    });
  }

  get #finishWithinMs(): number {
    return this.#options.finishWithinMs ?? finishWithinDefault;
  }

  /** Nothing more goes wrong, and what did ends in its time: who is given up meanwhile has to come back. */
  async #heal(): Promise<void> {
    this.#healed = true;
    const clock = this.#clock;
    await delay(clock, Math.max(0, Math.min(this.#faultsUntilMs - clock.monotonic(), healLeases * this.leaseMs)));
    this.sockets.joinAll();
    for (const machine of this.machines) machine.resume();
    for (const { process } of [...this.heads, ...this.drivers]) process.resume();
  }

  /** What is left of the execution, though it is over, as far as that can be seen before all is closed. */
  #leftBehind(): readonly string[] {
    const { board } = this.#around;
    const named = new Set(this.machines.map(({ names }) => names.at(-1)));
    return [
      ...this.drivers.map(({ process }) => `${process.name} runs`),
      ...[...board.leftovers].map((execution) => `lineage of ${execution} is to be dropped`),
      ...[...board.executions.values()].flatMap(({ status }) => (status === "running" ? ["an execution runs"] : [])),
      ...this.machines.flatMap(({ process, executions }) => executions.map(() => `an execution on ${process.name}`)),
      ...this.machines.flatMap(({ process, names }) =>
        board.machines.has(names.at(-1) ?? "") ? [] : [`${process.name} is no member`],
      ),
      ...[...board.machines.keys()].filter((id) => !named.has(id)).map((id) => `machine ${id} is still a member`),
    ];
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const clock = this.#clock;
    const until = clock.monotonic() + this.#finishWithinMs / 2;
    while (!isSo()) {
      if (clock.monotonic() >= until) throw new Error(`it isn't so within ${this.#finishWithinMs / 2} ms that ${what}`);
      // oxlint-disable-next-line no-await-in-loop -- until it is so
      await delay(clock, lookMs);
    }
  }
}
