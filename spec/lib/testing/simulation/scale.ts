// A head, a driver and many machines with stubs for slots: what they cost as machines and channels become more.
import { Session, type HeapProfiler } from "node:inspector";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CoordinationBoard } from "../../../../actors/stores/memory-coordination.ts";
import { MemoryStore } from "../../../../actors/stores/memory-store.ts";
import type { LaunchOptions } from "../../../../actors/slots/slot-launcher.ts";
import type { Submission } from "../../../../lib/cluster/protocol.ts";
import { loadBatches } from "../../../../lib/core/batch/index.ts";
import { delay, type Clock } from "../../../../lib/core/seam/clock.ts";
import { seededRandom } from "../../../../lib/core/seam/random.ts";
import { openFileSystem } from "../../../../lib/files/index.ts";
import { defineFlow, numbers } from "../../../../lib/index.ts";
import { HeadInvariants } from "../../../../lib/testing/simulation/cluster/cluster-invariants.ts";
import { bundleHash, numberedNames } from "../../../../lib/testing/simulation/cluster/simulate-cluster.ts";
import { startOf, SimulatedUser } from "../../../../lib/testing/simulation/cluster/simulated-user.ts";
import { SimulatedHead, type SimulatedDriver } from "../../../../lib/testing/simulation/cluster/simulated-head.ts";
import { SimulatedMachine } from "../../../../lib/testing/simulation/cluster/simulated-machine.ts";
import {
  SimulatedProcess,
  type ClusterSurroundings,
} from "../../../../lib/testing/simulation/cluster/simulated-process.ts";
import { VirtualSockets } from "../../../../lib/testing/simulation/cluster/virtual-sockets.ts";
import { Life } from "../../../../lib/testing/simulation/life.ts";
import { MemoryFiles } from "../../../../lib/testing/simulation/memory-files.ts";
import { Trace, VirtualClock } from "../../../../lib/testing/simulation/index.ts";
import { VirtualNetwork } from "../../../../lib/testing/simulation/virtual-network.ts";
import { StubSlots, type StubCounts } from "./stub-slots.ts";

export interface ScaleOptions {
  readonly machines: number;
  /** Slots of each machine. */
  readonly slots: number;
  /** Channels of each of the flow's steps. */
  readonly channelsEach: number;
}

/** What the host of head and driver did in a phase. */
export interface ScalePhase {
  readonly name: "scheduling" | "steady state, a second" | "one machine lost" | "its driver lost";
  readonly virtualMs: number;
  /** Milliseconds of this thread. */
  readonly cpuMs: number;
  readonly messages: number;
  readonly bytes: number;
}

export interface ScaleReport {
  readonly channels: number;
  readonly phases: readonly ScalePhase[];
  /** What head and driver have come to keep while the execution runs, sampled. */
  readonly heapBytes: number;
  readonly recovered: number;
  /** How often slots were asked where their links to lost lives stand. */
  readonly surveyed: number;
}

const stages = 5;
const leaseMs = 2000;
const headHost = "head-0";
const steadyMs = 1000;

/** As many channels in each step: each sends to all of the next. */
const wide = defineFlow(import.meta.url, (q, { each }: { each: number }) => {
  let sums = q
    .read("numbers", numbers(0, each), { channels: each })
    .map("start", (value) => ({ key: value, value }))
    .reduceByKey(
      "stage-0",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
      { channels: each, merge: (left, right) => left + right },
    );
  for (let stage = 1; stage < stages; stage++) {
    sums = sums.reduceByKey(
      `stage-${stage}`,
      ({ key }) => key + 1,
      () => 0,
      (sum, { value }) => sum + value,
      { channels: each, merge: (left, right) => left + right },
    );
  }
  return { sums: sums.collect() };
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (options?: object) => void;

/** Charges the time of this thread to hosts: what runs since one was entered is its, until another is. */
class Meter {
  readonly #spent = new Map<string, number>();
  #host = "";
  #since = performance.now();

  enter(host: string): void {
    if (host === this.#host) return;
    const now = performance.now();
    this.#spent.set(this.#host, (this.#spent.get(this.#host) ?? 0) + now - this.#since);
    this.#since = now;
    this.#host = host;
  }

  spentBy(host: string): number {
    this.enter("");
    return this.#spent.get(host) ?? 0;
  }
}

class MeteredLife extends Life {
  readonly #meter: Meter;
  readonly #host: string;

  constructor(clock: Clock, meter: Meter, host: string) {
    super(clock);
    this.#meter = meter;
    this.#host = host;
  }

  override enter(callback: () => void): void {
    this.#meter.enter(this.#host);
    super.enter(callback);
  }
}

/** What is allocated from now on and kept by head and driver: all in this process that isn't made by a machine. */
class HeadHeap implements Disposable {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post("HeapProfiler.startSampling", { samplingInterval: 1 << 14 });
  }

  get bytes(): number {
    collectGarbage();
    let bytes = 0;
    // Answered at once.
    this.#session.post("HeapProfiler.getSamplingProfile", (_error, { profile }) => (bytes = headBytes(profile.head)));
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#session.post("HeapProfiler.stopSampling");
    this.#session.disconnect();
  }
}

const machineModule = /\/(?:actors\/cluster\/machine|stub-slots|simulated-machine)\.[jt]s$/u;

function headBytes({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  if (machineModule.test(callFrame.url)) return 0;
  return children.reduce((sum, child) => sum + headBytes(child), selfSize);
}

/** Schedules a flow, lets it run, loses a machine and recovers. */
export async function simulateScale(options: ScaleOptions): Promise<ScaleReport> {
  await loadBatches();
  return new ScaledCluster(options).run();
}

class ScaledCluster {
  readonly #options: ScaleOptions;
  readonly #clock = new VirtualClock({ random: seededRandom(1) });
  readonly #random = seededRandom(9);
  readonly #meter = new Meter();
  readonly #around = surroundings(this.#clock, this.#meter);
  readonly #counts: StubCounts = { prepared: 0, started: 0, surveyed: 0, recovered: 0, channels: 0, orders: 0 };
  readonly #events = new Map<string, number>();
  readonly #phases: ScalePhase[] = [];
  readonly #head: SimulatedHead;
  #driver: SimulatedDriver | undefined;
  readonly #workers: readonly SimulatedMachine[];
  /** By worker. */
  readonly #channelsOn: number[];

  constructor(options: ScaleOptions) {
    this.#options = options;
    const driverStarted = (driver: SimulatedDriver): void => void (this.#driver = driver);
    const head = { host: headHost, leaseMs, checkpointEveryMs: 2000, seed: 1, driverStarted };
    this.#head = SimulatedHead.start("head", head, this.#around);
    this.#channelsOn = new Array<number>(options.machines).fill(0);
    this.#workers = this.#channelsOn.map((_, index) => this.#startWorker(index));
  }

  async run(): Promise<ScaleReport> {
    const clock = this.#clock;
    const { machines, channelsEach } = this.#options;
    const { reference, args } = await startOf(wide, { each: channelsEach });
    const user = new SimulatedUser({
      process: new SimulatedProcess("user", "user", this.#around),
      heads: [this.#head.url],
      submission: submissionOf(reference, args),
      leaseMs,
      onEvent: (kind) => this.#events.set(kind, (this.#events.get(kind) ?? 0) + 1),
    });
    const failed = (error: unknown): void =>
      clock.fail(new Error(JSON.stringify([this.#counts, ...this.#events]), { cause: error }));
    let heapBytes = 0;
    const work = async (): Promise<void> => {
      await until(clock, () => this.#around.board.machines.size === machines);
      using heap = new HeadHeap();
      await this.#measure("scheduling", async () => {
        user.run().then(() => failed(new Error("it ended")), failed);
        await until(clock, () => this.#counts.started > 0 && this.#counts.started === this.#counts.prepared);
      });
      await this.#measure("steady state, a second", () => delay(clock, steadyMs));
      heapBytes = heap.bytes;
      await this.#measure("one machine lost", async () => {
        this.#workers[this.#channelsOn.indexOf(Math.max(...this.#channelsOn))]?.process.kill(true);
        await until(clock, () => this.#events.has("recovered"));
      });
      await this.#measure("its driver lost", async () => {
        this.#driver?.process.kill();
        await until(clock, () => this.#events.get("recovered") === 2);
      });
    };
    await clock.run({ settled: work().catch(failed) });
    const { channels, recovered, surveyed } = this.#counts;
    return { channels, phases: this.#phases, heapBytes, recovered, surveyed };
  }

  #startWorker(index: number): SimulatedMachine {
    const launch = (options: LaunchOptions): StubSlots =>
      new StubSlots(options, {
        clock: this.#clock,
        random: this.#random,
        counts: this.#counts,
        prepared: (channels) => void (this.#channelsOn[index] = (this.#channelsOn[index] ?? 0) + channels),
      });
    const options = { host: `host-${index}`, join: [this.#head.url], slots: this.#options.slots, leaseMs, launch };
    return SimulatedMachine.start(`worker-${index}`, options, this.#around);
  }

  async #measure(name: ScalePhase["name"], phase: () => Promise<void>): Promise<void> {
    const before = this.#snapshot();
    await phase();
    const after = this.#snapshot();
    this.#phases.push({
      name,
      virtualMs: after.virtualMs - before.virtualMs,
      cpuMs: after.cpuMs - before.cpuMs,
      messages: after.messages - before.messages,
      bytes: after.bytes - before.bytes,
    });
  }

  #snapshot(): Omit<ScalePhase, "name"> {
    const { sockets, network } = this.#around;
    const { messagesIn, messagesOut, bytesIn, bytesOut } = sockets.trafficOf(headHost);
    return {
      virtualMs: this.#clock.monotonic(),
      cpuMs: this.#meter.spentBy(headHost),
      messages: messagesIn + messagesOut + network.counts.sent,
      bytes: bytesIn + bytesOut,
    };
  }
}

function surroundings(clock: VirtualClock, meter: Meter): ClusterSurroundings {
  const random = seededRandom(2);
  const trace = new Trace(0);
  const board = new CoordinationBoard(clock);
  board.bundles.set(bundleHash, { bytes: new Uint8Array(1), usedMs: Infinity });
  return {
    clock,
    random,
    trace,
    sockets: new VirtualSockets({ clock, random }),
    network: new VirtualNetwork({ clock, random }),
    board,
    lineage: new MemoryStore(),
    files: new MemoryFiles(openFileSystem()),
    heads: new HeadInvariants(clock, (what) => clock.fail(new Error(what))),
    freshId: numberedNames(),
    lifeOn: (host) => new MeteredLife(clock, meter, host),
  };
}

function submissionOf(reference: { readonly module: string; readonly name: string }, args: unknown): Submission {
  const { module, name: flow } = reference;
  return { module, flow, args, options: {}, bundle: bundleHash, detach: false } as Submission;
}

const lookMs = 20;
const patienceMs = 60_000;

async function until(clock: Clock, isSo: () => boolean): Promise<void> {
  const last = clock.monotonic() + patienceMs;
  while (!isSo()) {
    if (clock.monotonic() > last) throw new Error(`it isn't so within ${patienceMs} ms`);
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    await delay(clock, lookMs);
  }
}

/** Prints what heads and drivers did, for people. */
export function printScale({ channels, phases, heapBytes }: ScaleReport): void {
  console.log(`${channels} channels: ${(heapBytes / 2 ** 20).toFixed(1)} MiB kept by head and driver`);
  for (const { name, virtualMs, cpuMs, messages, bytes } of phases) {
    const cost = `${messages} messages, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${cpuMs.toFixed(0)} ms of CPU`;
    console.log(`  ${name}: ${cost}, in ${virtualMs.toFixed(0)} ms of the simulated world`);
  }
}

/** What depends on when things happen to happen, and on the length of numbers. */
const slack = 1.5;

/** Counts, and memory, that grew faster than channels. */
export function growsTooFast(small: ScaleReport, large: ScaleReport): string[] {
  const factor = (slack * large.channels) / small.channels;
  const memory = large.heapBytes / small.heapBytes;
  const kept = memory <= factor ? [] : [`memory: ${memory.toFixed(1)} times, more than ${factor.toFixed(1)}`];
  const counted = large.phases.flatMap((phase, index) => {
    const before = small.phases[index];
    // All links are made again: where each channel sends to all of the next step, those grow with the square.
    const counts = phase.name === "its driver lost" ? (["messages"] as const) : (["messages", "bytes"] as const);
    return counts.flatMap((what) => {
      const grown = phase[what] / (before?.[what] ?? 0);
      return grown <= factor
        ? []
        : [`${what} of "${phase.name}": ${grown.toFixed(1)} times, more than ${factor.toFixed(1)}`];
    });
  });
  return [...kept, ...counted];
}

/** A time is never the same twice. What grows with the square of ten times as many takes a hundred times as long. */
const timeSlack = 4;

/** Phases whose time grew faster than channels: of ten times as many or more, so that it can be told. */
export function takesTooLong(small: ScaleReport, large: ScaleReport): string[] {
  const factor = (timeSlack * large.channels) / small.channels;
  return large.phases.flatMap(({ name, cpuMs }, index) => {
    const grown = cpuMs / (small.phases[index]?.cpuMs ?? 0);
    // As above: links.
    if (grown <= factor || name === "its driver lost") return [];
    return [`time of "${name}": ${grown.toFixed(1)} times, more than ${factor.toFixed(1)}`];
  });
}
