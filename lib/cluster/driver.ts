import { systemWorld, type MachineWorld } from "../../actors/cluster/machine-world.ts";
import { repeatWhileAway } from "../../actors/stores/repeat-while-away.ts";
import { RemoteSlots } from "../../actors/cluster/remote-slots.ts";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { decodeArguments } from "../../actors/slot/arguments.ts";
import { DriverRelay } from "../../actors/slot/relayed-actors.ts";
import { settleBundle } from "../code/machine-bundle.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { errorToData, QStreamError } from "../core/errors.ts";
import { findFlow } from "../core/flow-registry.ts";
import { delay } from "../core/seam/clock.ts";
import { openFileSystem } from "../files/index.ts";
import { reasonOf } from "../flow/aborting.ts";
import { checkSessionOptions } from "../flow/check-options.ts";
import { nextName } from "../flow/rescaled-name.ts";
import type { Execution } from "../flow/execution.ts";
import type { Graph } from "../flow/graph.ts";
import { Session, type LaunchHooks, type SessionOptions, type SessionWorld } from "../flow/session.ts";
import type { LineageOptions } from "../flow/session-lineage.ts";
import { encodeOutputs, plainEvent } from "./outputs.ts";
import type { ClusterRunOptions, DriverStart, FromDriver, ResumedSubmission, ToDriver } from "./protocol.ts";
import { allMachinesMs, machinesCome } from "./machines-come.ts";
import { withoutEnds } from "./without-ends.ts";

type OfMachine = Extract<ToDriver, { readonly kind: "machine" | "machine-gone" | "drain" }>;

interface Prepared {
  readonly graph: Graph;
  readonly outputs: Readonly<Record<string, string>>;
}

/** What a driver stands on, beside what machines do. */
export interface DriverWorld extends MachineWorld {
  readonly files: (settings: DriverStart["files"]) => FileSystem;
  /** More settings of its session. */
  readonly session?: Pick<SessionOptions, "attempts" | "checkpointEveryMs" | "seed">;
  readonly sessionWorld?: Pick<SessionWorld, "wholeCheckpoints">;
}

/** That of a process. */
export const systemDriverWorld: DriverWorld = { ...systemWorld, files: openFileSystem };

/**
 * Runs one execution on the slots of a cluster, in a process of its own: the scheduler's actor, the lineage's, and what of a flow
 * runs nowhere else (its builder, its splits, the commit of its sinks).
 */
export class Driver {
  readonly #tell: (message: FromDriver) => void;
  readonly #world: DriverWorld;
  readonly #stop = new AbortController();
  /** Where channels are, and machines that are to have none any more. */
  readonly #places = new Map<string, string>();
  readonly #draining = new Set<string>();
  /** When clients are told next how far channels are. */
  #progressDueAt = -Infinity;
  /** Another driver could go on with it: from what is kept, or because nothing has begun. */
  #recoverable = true;
  #begun = (): void => {};
  readonly #actors = new DriverRelay((content) => this.#tell({ kind: "actors", content }));
  #remote: RemoteSlots | undefined;
  /** What was told of machines before there was anything that knows machines. */
  readonly #early: OfMachine[] = [];
  #store: LineageStore | undefined;
  #session: Session | undefined;
  #execution: Execution<Record<string, unknown>> | undefined;

  constructor(tell: (message: FromDriver) => void, world: DriverWorld = systemDriverWorld) {
    this.#tell = tell;
    this.#world = world;
  }

  /** Fulfilled when the execution has ended, and all is closed: true where it is done. */
  async run(start: DriverStart): Promise<boolean> {
    try {
      await this.#run(start, async (outputs) => this.#tell({ kind: "done", outputs: await encodeOutputs(outputs) }));
      return true;
    } catch (error) {
      // The head takes a forsaken driver for crashed: another one goes on from what is in the store.
      this.#tell({ kind: this.#lostAllMachines(error) ? "forsaken" : "failed", error: errorToData(error) });
      return false;
    }
  }

  /** Whether it failed because no machine was heard of any more: they may all live, and be heard of again. */
  #lostAllMachines(error: unknown): boolean {
    const lost = error instanceof QStreamError && error.code === "SLOT_LOST" && this.#remote?.machines.length === 0;
    return lost && this.#recoverable && !this.#stop.signal.aborted;
  }

  told(message: Exclude<ToDriver, DriverStart>): void {
    switch (message.kind) {
      case "machine":
      case "machine-gone":
      case "drain":
        if (this.#remote === undefined) this.#early.push(message);
        else this.#toldOfMachine(this.#remote, message);
        return;
      case "rebalance":
        void this.#rebalance();
        return;
      case "begin":
        this.#begun();
        return;
      case "actors":
        this.#actors.told(message.content);
        return;
      case "cancel":
        this.#stop.abort(cancelled(message.reason));
        this.#execution?.cancel(message.reason);
    }
  }

  #toldOfMachine(remote: RemoteSlots, message: OfMachine): void {
    if (message.kind === "machine") remote.add(message.machine);
    else if (message.kind === "machine-gone") remote.machineLost(message.machine, message.why);
    else {
      this.#draining.add(message.machine);
      this.#drain();
    }
  }

  /** @param done - is told the outputs before the session is closed: nobody waits for that */
  async #run(start: DriverStart, done: (outputs: Record<string, unknown>) => Promise<void>): Promise<void> {
    const { submission, bundle, token, tls } = start;
    const { openBundles, openStore, host, sockets, sessionWorld } = this.#world;
    const bundles = openBundles({ token, tls }, settleBundle);
    const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {} };
    const files = this.#world.files(start.files);
    const url = submission.options.store === "none" ? "none" : start.store;
    // None of these waits for another.
    const [load, remote, store] = await Promise.all([
      bundles.fetch(bundle, start.execution),
      this.#openSlots(start, url, hooks, files),
      url === "none" ? undefined : this.#patiently(start, () => openStore(url)),
    ]);
    this.#store = store;
    const { leaseMs } = start;
    const isRescaled = submission.resume?.rescale !== undefined;
    const wanted = lineageOptions(submission.options);
    const options = { ...this.#world.session, ...wanted, store: url, leaseMs, storeWaitMs: storeWaitOf(leaseMs) };
    const session = new Session(options, remote, hooks, {
      ...sessionWorld,
      clock: sockets.clock,
      host: host(),
      store: store === undefined ? undefined : withoutEnds(store, () => isRescaled && this.#execution === undefined),
      files,
      code: { load, hash: submission.codeHash ?? "" },
      rebalances: start.rebalances,
    });
    this.#session = session;
    try {
      const { clock } = this.#world.sockets;
      const onEvent = (event: ExecutionEvent): void => this.#happened(event);
      await machinesCome({ start, hooks, remote, clock, signal: this.#stop.signal, onEvent });
      this.#execution = await this.#start(start, session, store, load);
      if (this.#stop.signal.aborted) this.#execution.cancel(reasonOf(this.#stop.signal));
      await done(await this.#execution.outputs);
    } finally {
      await session.close();
      bundles.close();
    }
  }

  async #openSlots(start: DriverStart, store: string, hooks: LaunchHooks, files: FileSystem): Promise<RemoteSlots> {
    const { execution, driver, epoch, submission, bundle, leaseMs, host, advertise, token, tls, machines } = start;
    const remote = await RemoteSlots.open({
      world: this.#world,
      id: this.#world.freshId("driver"),
      bind: { host, port: 0 },
      security: { token, tls },
      advertise,
      files,
      leaseMs,
      driver,
      epoch,
      bundle,
      store,
      storeWaitMs: storeWaitOf(leaseMs),
      storeAnswers: () => this.#storeAnswers(this.#execution?.id ?? submission.resume?.execution ?? execution),
      channelsOn: (machine) => this.#channelsOn(machine),
      lineage: () => hooks.lineage,
      onReport: (report) => hooks.onReport(report),
      onLost: (slot, error, reason) => hooks.onLost(slot, error, reason),
      onAdded: () => {
        hooks.onAdded?.();
        this.#drain();
      },
      onTaken: (name) => {
        const taken = new QStreamError("EXECUTION_TAKEN", `another driver goes on with execution ${name}`);
        hooks.lineage?.failed(this.#execution?.id ?? name, taken);
        this.#stop.abort(taken);
      },
      relay: this.#actors,
      mayBegin: store === "none" ? () => this.#begin() : undefined,
    });
    this.#remote = remote;
    remote.add(...machines);
    // Their code is on its way while the flow is looked at here.
    remote.open(submission.resume?.execution ?? execution);
    for (const message of this.#early) this.#toldOfMachine(remote, message);
    return remote;
  }

  /** Without lineage nobody can go on with it once machines have heard of it: that is kept first. */
  #begin(): Promise<void> {
    this.#recoverable = false;
    const begun = new Promise<void>((resolve) => (this.#begun = resolve));
    this.#tell({ kind: "begins" });
    return begun;
  }

  /** Starts the execution, or goes on with it where a driver before this one had begun. */
  async #start(
    start: DriverStart,
    session: Session,
    store: LineageStore | undefined,
    load: string,
  ): Promise<Execution<Record<string, unknown>>> {
    const { execution, driver, submission, measured } = start;
    const { module, flow, args, resume } = submission;
    const reference = { module, name: flow, load };
    const registered = await findFlow(reference);
    const prepared = registered.prepare(await decodeArguments(args)) as Prepared;
    this.#stop.signal.throwIfAborted();
    const { limits, strict, verifyReplay, exactlyOnce } = submission.options;
    const options = {
      ...(limits === undefined ? {} : { limits }),
      ...(strict === undefined ? {} : { strict }),
      ...(verifyReplay === undefined ? {} : { verifyReplay }),
      ...(exactlyOnce === undefined ? {} : { exactlyOnce }),
      onEvent: (event: ExecutionEvent) => this.#happened(event),
      // It may be cancelled while it waits for a place.
      signal: this.#stop.signal,
    };
    const begun = { id: execution, reference, args, ...prepared, options, measured: new Map(measured) };
    const before = await this.#patiently(start, () => whatGoesOn(start, store));
    if (before === undefined) return session.start(begun);
    const { execution: name, rescale } = before;
    const stored = await session.findStored(name);
    const resumed = { execution: name, stored, firstLife: (driver - 1) * livesMax, byHand: resume !== undefined };
    // Its code and arguments are those that it was begun with: by their hash and from the same place, or its client has looked. Slots
    // compare the plan.
    const started = await session.start({ ...begun, resumed, rescale });
    if (resume?.rescale !== undefined) this.#tell({ kind: "named", name: started.id });
    return started;
  }

  /** The store may be away when an execution begins or is gone on with, too. */
  #patiently<T>({ leaseMs }: DriverStart, call: () => Promise<T>): Promise<T> {
    const { clock } = this.#world.sockets;
    return repeatWhileAway({ clock, waitMs: storeWaitOf(leaseMs), signal: this.#stop.signal }, call);
  }

  /** Whether the store can be reached from here. */
  async #storeAnswers(execution: string): Promise<boolean> {
    try {
      return (await this.#store?.find(execution)) !== undefined;
    } catch {
      return false;
    }
  }

  #happened(event: ExecutionEvent): void {
    if (event.kind === "placed" || event.kind === "recovered") {
      const channels = event.kind === "placed" ? event.placement : event.channels;
      for (const { step, channel, slot } of channels) this.#places.set(`${channel} of ${step}`, slot);
      this.#tellDrained();
    }
    if (event.kind === "failed" && this.#lostAllMachines(event.error)) return;
    if (event.kind === "progress" && !this.#isProgressDue()) return;
    this.#tell({ kind: "event", event: plainEvent(event) });
  }

  /** It names all channels, and each of all slots brings some: clients needn't hear of all of it ten times a second. */
  #isProgressDue(): boolean {
    const now = this.#world.sockets.clock.monotonic();
    if (now < this.#progressDueAt) return false;
    this.#progressDueAt = now + Math.min(this.#places.size * progressMsEachChannel, progressMsMost);
    return true;
  }

  /** Machines go once there is another one. */
  #drain(): void {
    const remote = this.#remote;
    for (const machine of this.#draining) {
      if (remote?.slots.some((slot) => slot.machine !== machine) === true) remote.drain(machine);
    }
    this.#tellDrained();
  }

  /** Channels move to slots that have less to do. */
  async #rebalance(): Promise<void> {
    try {
      const { id } = this.#execution ?? {};
      // One that has just joined may be what it is about.
      await this.#machinesSay();
      const moves = id === undefined ? [] : await this.#session?.rebalance(id);
      this.#tell({ kind: "rebalanced", moves: moves ?? [] });
    } catch (error) {
      this.#tell({ kind: "rebalanced", moves: [], error: errorToData(error) });
    }
  }

  /** Fulfilled once all machines that are known have said which slots they have, or soon. */
  async #machinesSay(): Promise<void> {
    const { clock } = this.#world.sockets;
    const until = clock.monotonic() + allMachinesMs;
    while ((this.#remote?.awaitedMachines.length ?? 0) > 0 && clock.monotonic() < until) {
      // oxlint-disable-next-line no-await-in-loop -- until they are there
      await delay(clock, lookMs, this.#stop.signal);
    }
  }

  #channelsOn(machine: string): number {
    return [...this.#places.values()].filter((slot) => slot.startsWith(`${machine}/`)).length;
  }

  #tellDrained(): void {
    for (const machine of this.#draining) {
      // While it could be placed there, it may yet be.
      if (this.#remote?.machines.includes(machine) !== false) continue;
      if (this.#channelsOn(machine) > 0) continue;
      this.#draining.delete(machine);
      this.#tell({ kind: "drained", machine });
    }
  }
}

const storeWaitLeastMs = 60_000;
// A machine that can't reach the store says so after a lease and again half a lease later: then others go on without it.
const storeWaitLeases = 4;
const lookMs = 100;
const progressMsEachChannel = 0.5;
const progressMsMost = 1000;
// More lives than one driver makes.
const livesMax = 2 ** 20;

/** Milliseconds for which a store that is away is waited for. */
function storeWaitOf(leaseMs: number): number {
  return Math.max(storeWaitLeastMs, storeWaitLeases * leaseMs);
}

/** How the submitter wants lineage to be kept. */
function lineageOptions({ attempts, checkpointEveryMs }: ClusterRunOptions): LineageOptions {
  const wanted = {
    ...(attempts === undefined ? {} : { attempts }),
    ...(checkpointEveryMs === undefined ? {} : { checkpointEveryMs }),
  };
  checkSessionOptions(wanted);
  return wanted;
}

/** What a driver goes on with, and whether it is to have other channels; undefined for an execution that begins. */
async function whatGoesOn(
  { execution, begins, submission: { resume } }: DriverStart,
  store: LineageStore | undefined,
): Promise<ResumedSubmission | undefined> {
  const before = resume ?? { execution, rescale: undefined };
  if (begins) return resume;
  if ((await store?.find(before.execution)) !== undefined) return before;
  // The driver before this one hasn't written anything; or it has given it other channels, and dropped what that went on from.
  return before.rescale === undefined ? resume : { execution: nextName(before.execution), rescale: undefined };
}

function cancelled(reason: string): QStreamError {
  return new QStreamError("ABORTED", `the execution was stopped: ${reason}`);
}
