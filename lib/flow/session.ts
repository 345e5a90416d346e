import type { ActorHost } from "../../actors/hosts/actor-host.ts";
import { NactHost } from "../../actors/hosts/nact-host.ts";
import type { ChannelMove, ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import type { SlotHandle } from "../../actors/scheduler/execution-request.ts";
import { Scheduler } from "../../actors/scheduler/scheduler.ts";
import type { Isolation, LaunchedSlots } from "../../actors/slots/slot-launcher.ts";
import { Dataset, type DatasetKeeper } from "../core/dataset.ts";
import { QStreamError } from "../core/errors.ts";
import { isSlot } from "../core/flow-registry.ts";
import { checkLimits } from "../core/limits.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import { systemClock, type Clock } from "../core/seam/clock.ts";
import { freshId } from "../core/seam/random.ts";
import { openStore } from "../../actors/stores/open-store.ts";
import { openFileSystem, type FileSystemOptions } from "../files/index.ts";
import { loadableUrl } from "../code/bundle.ts";
import { codeHash } from "../code/code-hash.ts";
import { edgeSizes } from "../placement/index.ts";
import { orAborted } from "./aborting.ts";
import { whenPlaceable } from "./await-places.ts";
import { checkSessionNames, checkSessionOptions } from "./check-options.ts";
import { refuseRepeatedWrites, refuseUnsavedState } from "./check-promises.ts";
import { EventListener } from "./event-listener.ts";
import { EventLog, type Execution } from "./execution.ts";
import type { Graph } from "./graph.ts";
import { launchSlots, type LaunchHooks } from "./launch-slots.ts";
import { LivingSlots } from "./living-slots.ts";
import { planGraph } from "./plan-graph.ts";
import { prepareSinks, sinkFolders } from "./prepare-sinks.ts";
import { rescaleExecution } from "./rescale-execution.ts";
import { resultsOf } from "./results.ts";
import { SessionLineage, storeOf, type LineageOptions } from "./session-lineage.ts";
import type { FlowSession, SessionStart, SessionWorld } from "./session-contract.ts";
import { dealSplits } from "./splits.ts";
import type { StoredFlow } from "./stored-flow.ts";
import { SlotReplacements } from "./slot-replacements.ts";
import { shareOf, unverifiedSteps } from "./verifying.ts";

export type { LaunchHooks } from "./launch-slots.ts";
export type { FlowSession, SessionStart, SessionWorld } from "./session-contract.ts";

export interface SessionOptions extends LineageOptions {
  /** How many slots; as many as the machine has cores unless told. */
  readonly slots?: number;
  /** `thread` (default): worker threads. `process`: child processes. `none`: all in this thread, for debugging. */
  readonly isolation?: Isolation;
  /** Bytes of heap that each slot may use. */
  readonly memoryBytes?: number;
  /** Where standard output of user code in slots goes; with `stderr`, this process's own stays free. */
  readonly stdout?: "inherit" | "stderr";
  /** Tags of this machine, for steps that are placed by `tagged`. */
  readonly tags?: readonly string[];
  /** Settings of the file systems: S3 endpoint and credentials, for example. */
  readonly files?: FileSystemOptions;
  /** With isolation `process`: milliseconds without a sign of life after which a slot is given up. Default 10,000. */
  readonly leaseMs?: number;
  /**
   * Milliseconds for which user code may keep a slot from its event loop, after which it is taken for an endless loop and the
   * slot is given up. Default 60,000; 0 for no limit. With isolation `none` nobody watches.
   */
  readonly turnMs?: number;
  /** With isolation `none`: seeds the order in which channels take turns, so that an interleaving can be had again. */
  readonly seed?: number;
}

/** Slots that flows run on, and the datasets that they keep. Close it when it isn't needed any more: `await using`. */
export class Session implements FlowSession {
  readonly id = freshId("session");
  readonly journalStore: string;
  readonly #options: SessionOptions;
  readonly #scheduler: Scheduler;
  readonly #host: ActorHost;
  #launched: LaunchedSlots;
  readonly #lineage: SessionLineage | undefined;
  readonly #clock: Clock;
  readonly #files: FileSystem;
  readonly #code: SessionWorld["code"];
  readonly #lost = new Map<string, Error>();
  readonly #livingSlots = new LivingSlots(() => this.#launched.slots, this.#lost);
  readonly #running = new Set<Execution<unknown>>();
  readonly #starting = new Set<AbortController>();
  #closed: Promise<void> | undefined;
  /** Why nothing can run here any more. */
  #broken: Error | undefined;
  readonly #datasets: DatasetKeeper = {
    read: async (reference, as) => {
      const { readBack } = await import("./read-back.ts");
      return readBack(new Dataset(reference, undefined), as, this);
    },
    release: (dataset) => {
      for (const slot of this.#launched.slots) slot.order({ kind: "release-dataset", execution: "", dataset });
    },
  };

  /** @internal Use `local`. */
  constructor(options: SessionOptions, launched: LaunchedSlots, hooks: LaunchHooks, world: SessionWorld = {}) {
    this.#options = options;
    this.journalStore = storeOf(options);
    this.#launched = launched;
    this.#clock = world.clock ?? systemClock;
    this.#files = world.files ?? openFileSystem(options.files);
    this.#code = world.code;
    this.#host = world.host ?? new NactHost();
    this.#lineage = this.#lineageOn(world);
    this.#scheduler = new Scheduler({
      host: this.#host,
      clock: this.#clock,
      client: launched.client,
      slots: () => this.#living(),
      lineage: this.#lineage?.actor,
      rebalances: world.rebalances,
    });
    hooks.onReport = (report) => {
      if (report.kind === "lineage-append" || report.kind === "lineage-call") this.#lineage?.actor.receive(report);
      else this.#scheduler.report(report);
    };
    const replacements = new SlotReplacements(launched, (isLast) => this.#scheduler.slotAdded(isLast));
    hooks.onLost = (slot, error, reason) => {
      if (this.#lost.has(slot)) return;
      this.#lost.set(slot, error);
      this.#scheduler.slotLost(slot, error, reason);
      if (this.#closed === undefined && this.#lineage !== undefined) replacements.replace(slot);
    };
    hooks.lineage = this.#lineage?.actor;
    hooks.onAdded = () => replacements.added();
    hooks.onProcessLost = (error) => {
      this.#broken = error;
      for (const { id } of this.#running) this.#scheduler.cancel(id, error);
    };
  }

  #living(): readonly SlotHandle[] {
    return this.#livingSlots.list();
  }

  #lineageOn({ store, wholeCheckpoints }: SessionWorld): SessionLineage | undefined {
    if (store === undefined) return undefined;
    const { client } = this.#launched;
    return new SessionLineage({
      store,
      options: this.#options,
      wholeCheckpoints,
      host: this.#host,
      clock: this.#clock,
      slot: (id) => (id === client.id ? client : this.#living().find((slot) => slot.id === id)),
      failed: (execution, error) => this.#scheduler.cancel(execution, error),
    });
  }

  /** Ids of the slots, in order. */
  get slots(): readonly string[] {
    return this.#launched.slots.map((slot) => slot.id);
  }

  /** Slots that ended or had to be given up, with the reason. */
  get lostSlots(): ReadonlyMap<string, Error> {
    return this.#lost;
  }

  /** @internal Starts an execution; users call `flow.run(args, { on: session })`. */
  async start(start: SessionStart): Promise<Execution<Record<string, unknown>>> {
    this.#refuseClosed();
    const { signal } = start.options;
    const starting = new AbortController();
    const abort = (): void => starting.abort(signal?.reason);
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#starting.add(starting);
    try {
      return await this.#start(start, starting.signal);
    } catch (error) {
      this.#refuseClosed();
      throw error;
    } finally {
      this.#starting.delete(starting);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Lists splits, prepares sinks and submits the execution, unless the signal aborts before. */
  async #start(start: SessionStart, signal: AbortSignal): Promise<Execution<Record<string, unknown>>> {
    if (this.#lineage !== undefined) refuseUnsavedState(start.graph);
    if (start.options.exactlyOnce === true) refuseRepeatedWrites(start.graph);
    const slots = this.#living();
    if (slots.length === 0)
      throw new QStreamError("SLOT_LOST", "all slots of the session are lost", { cause: [...this.#lost.values()][0] });
    const files = this.#files;
    const load = this.#code?.load ?? (await orAborted(loadableUrl(start.reference.module), signal));
    const reference = { ...start.reference, load };
    const resumed = await this.#rescaled({ ...start, reference }, slots, signal);
    const id = resumed?.execution ?? start.id ?? freshId("run");
    const { grows = false } = this.#launched;
    const { onEvent } = start.options;
    const places = { execution: id, slots: () => this.#living(), grows, clock: this.#clock, signal, onEvent };
    const stored = await whenPlaceable(places, async (now) => {
      return resumed?.stored ?? this.#describe(start, now, files, signal);
    });
    if (resumed === undefined) {
      await prepareSinks(start.graph, { files, execution: id }, signal);
      this.#launched.open?.(id);
      await this.#lineage?.open(id, stored.plan, stored);
    } else {
      await this.#prepareAgain(start.graph, resumed, signal);
    }
    const execution = this.#submit(id, stored, { ...start, reference, ...(resumed === undefined ? {} : { resumed }) });
    this.#running.add(execution);
    const forget = (): unknown => this.#running.delete(execution);
    execution.outputs.then(forget, forget);
    return execution;
  }

  /** What is gone on with: with other channels, where that is asked for. */
  async #rescaled(
    { resumed, rescale, graph, reference }: SessionStart,
    slots: readonly SlotHandle[],
    signal: AbortSignal,
  ): Promise<SessionStart["resumed"]> {
    const lineage = this.#lineage;
    if (resumed === undefined || rescale === undefined || lineage === undefined) return resumed;
    const prepare = (again: NonNullable<typeof resumed>): Promise<void> => this.#prepareAgain(graph, again, signal);
    const parts = { graph, reference, slots, signal, lineage, prepare };
    return rescaleExecution({ ...parts, scheduler: this.#scheduler, resumed, rescale });
  }

  async #prepareAgain(
    graph: Graph,
    { execution, stored }: NonNullable<SessionStart["resumed"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const startedAs = stored.earlier?.startedAs ?? execution;
    await prepareSinks(graph, { files: this.#files, execution: startedAs, resuming: true }, signal);
    this.#launched.open?.(execution);
    await this.#lineage?.resume(execution, stored.plan);
  }

  /** A flow's plan and splits, and all else that another process needs to go on with it. */
  async #describe(
    { graph, reference, args, options }: SessionStart,
    slots: readonly SlotHandle[],
    files: FileSystem,
    signal: AbortSignal,
  ): Promise<StoredFlow> {
    const dealt = await dealSplits(graph, slots, { files, signal });
    const plan = planGraph(graph, { slots, dataSlots: dealt.dataSlots, near: dealt.near });
    return {
      flow: plan.flow,
      module: reference.module,
      codeHash: this.#lineage?.outlives === true ? await this.#codeHash(reference.module) : "",
      args,
      plan,
      splits: [...dealt.byStep(plan)],
      limits: checkLimits(options.limits),
      seed: this.#options.seed ?? 1,
      openedAt: this.#clock.now(),
      strict: options.strict ?? false,
      sinkFolders: sinkFolders(graph, files),
    };
  }

  async #codeHash(module: string): Promise<string> {
    return this.#code?.hash ?? codeHash(module);
  }

  /** @internal What the session's store has of an execution that ended before it was done. */
  async findStored(execution: string): Promise<StoredFlow> {
    if (this.#lineage !== undefined) return this.#lineage.find(execution);
    throw new QStreamError("OPTION_INVALID", `execution ${execution} can't be gone on with: the session has no store`, {
      advice: "Open it with the store that the execution was started with: local({ store })",
    });
  }

  /** @internal Moves channels of a running execution to slots that have less to do. */
  rebalance(execution: string): Promise<readonly ChannelMove[]> {
    return this.#scheduler.rebalance(execution);
  }

  #refuseClosed(): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#closed === undefined) return;
    throw new QStreamError("SESSION_CLOSED", "the session is closed", { advice: "Open another one with local()" });
  }

  /** Stops what runs, ends the slots, and frees their datasets. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    for (const starting of this.#starting) starting.abort();
    const running = [...this.#running];
    for (const execution of running) execution.cancel("its session was closed");
    await Promise.allSettled(running.map((execution) => execution.outputs));
    await this.#launched.close();
    this.#scheduler.close();
    await this.#lineage?.end();
    this.#host.close();
  }

  #submit(id: string, stored: StoredFlow, start: SessionStart): Execution<Record<string, unknown>> {
    const { options, reference, resumed } = start;
    const { args, plan, limits, seed, openedAt, strict } = stored;
    const log = new EventLog();
    const listener = new EventListener(options.onEvent, (error) => this.#scheduler.cancel(id, error));
    const onEvent = (event: ExecutionEvent): void => {
      log.add(event);
      listener.call(event);
    };
    const share = shareOf(options.verifyReplay);
    if (share !== undefined)
      onEvent({ kind: "verifying", execution: id, share, unverified: unverifiedSteps(start.graph) });
    const outputs = new Promise<Record<string, unknown>>((resolve, reject) => {
      this.#scheduler.run({
        execution: id,
        reference,
        args,
        plan,
        limits,
        seed,
        openedAt,
        strict,
        verifyReplay: share,
        recovery: this.#lineage?.recovery,
        resumed: resumed !== undefined,
        firstLife: resumed?.firstLife,
        attemptsAnew: resumed?.byHand,
        splits: new Map(stored.splits),
        sizes:
          start.measured === undefined
            ? undefined
            : edgeSizes(
                plan,
                plan.steps.map(({ id }) => start.measured?.get(id)),
              ),
        earlier: stored.earlier,
        onEvent,
        resolve: (outcome) => {
          this.#lineage?.close(id);
          const results = resultsOf(start.graph, start.outputs, outcome.parts, this.#datasets);
          resolve(results.finally(() => listener.end()));
        },
        reject: (error) => {
          this.#lineage?.close(id, error);
          log.end();
          reject(this.#lineage?.explain(error) ?? error);
        },
      });
    });
    outputs.catch(() => {});
    return {
      id,
      outputs,
      events: () => log.read(),
      get metrics() {
        return log.metrics;
      },
      cancel: (reason = "it was cancelled") =>
        this.#scheduler.cancel(id, new QStreamError("ABORTED", `the execution was stopped: ${reason}`)),
    };
  }
}

/**
 * Opens a session on this machine.
 *
 * @param options - how many slots (the machine's cores unless told), and whether they are threads or processes
 * @example
 * await using session = await local({ slots: 4 });
 * await flow.run(args, { on: session });
 */
export async function local(options: SessionOptions = {}): Promise<Session> {
  // In a slot that loads a one-file program, the program stays where it is: sessions are the first process's alone.
  if (isSlot()) return new Promise<never>(() => {});
  checkSessionNames(options);
  checkSessionOptions(options);
  const hooks: LaunchHooks = { onReport: () => {}, onLost: () => {}, onProcessLost: () => {} };
  const url = storeOf(options);
  const { checkpoints: path } = options;
  const files = openFileSystem(options.files);
  const checkpoints = path === undefined ? undefined : { path, files };
  const store = url === "none" ? undefined : await openStore(url, { checkpoints, files });
  try {
    return new Session(options, await launchSlots(options, hooks), hooks, { store });
  } catch (error) {
    await store?.close();
    throw error;
  }
}
