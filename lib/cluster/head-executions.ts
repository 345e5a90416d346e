import { serialize } from "node:v8";
import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import { ActorsClients } from "./actors-clients.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { errorToData, type QStreamError } from "../core/errors.ts";
import type { Clock } from "../core/seam/clock.ts";
import { startedName } from "../flow/rescaled-name.ts";
import { Drainings } from "./drainings.ts";
import type { DriverHandle, FromDriverProcess } from "./driver-process.ts";
import { driverStart } from "./driver-start.ts";
import { HeldOutputs } from "./held-outputs.ts";
import type { HeadExecutionsParts } from "./head-world.ts";
import {
  decodeEnd,
  encodeEnd,
  endPause,
  executionUnknown,
  keptExecution,
  knownEnd,
  listExecution,
  lostForGood,
  newExecution,
  outputsGone,
  pauseBefore,
  remember,
  statusOf,
  tellAll,
  tellEnd,
  type Client,
  type End,
  type KnownEnd,
  type KnownExecution,
} from "./known-execution.ts";
import { LimitedDrivers } from "./limited-drivers.ts";
import { Measures } from "./measures.ts";
import type { ListedExecution, RebalancedExecution, Submission, ToDriver } from "./protocol.ts";
import { Rebalances } from "./rebalances.ts";
import { notLeading, type Reign } from "./reign.ts";
import { descriptionOf, refuseResuming, settleLineage } from "./resuming.ts";

// Executions that are over, of which the head still knows the end.
const endedMax = 100;

/**
 * The executions of a cluster, each with its driver and the clients that follow it. What has to outlive this head is in Redis before
 * anybody is told of it; drivers end with their head, and another one starts them again.
 */
export class HeadExecutions {
  readonly #parts: HeadExecutionsParts;
  readonly #known = new Map<string, KnownExecution>();
  readonly #drivers: LimitedDrivers;
  readonly #clock: Clock;
  readonly #drainings = new Drainings();
  readonly #held: HeldOutputs;
  readonly #rebalances = new Rebalances();
  readonly actors: ActorsClients;
  readonly #measures = new Measures({
    keep: (flow, text) => this.#reign?.attempt((state) => state.keepMeasures(flow, text)),
  });
  #store: LineageStore | undefined;
  #reign: Reign | undefined;

  constructor(parts: HeadExecutionsParts) {
    this.#parts = parts;
    this.#drivers = new LimitedDrivers(parts.world.drivers(), parts.executions);
    this.#clock = parts.world.sockets.clock;
    this.#held = new HeldOutputs(undefined, this.#clock);
    this.actors = new ActorsClients(this.#clock);
  }

  /** Goes on with what the head before this one had begun. @throws QStreamError STORE_*, HEAD_DEPOSED */
  async lead(reign: Reign): Promise<void> {
    this.#store ??= await this.#parts.world.openStore(this.#parts.store);
    this.#reign = reign;
    const { state } = reign;
    const { executions, leftovers, measures } = await state.load(0);
    this.#measures.restore(measures);
    for (const execution of executions) {
      // oxlint-disable-next-line no-await-in-loop -- each may have large arguments
      const kept = await state.execution(execution);
      if (kept !== undefined) this.#known.set(execution, keptExecution(kept));
    }
    for (const known of this.#running()) {
      if (known.submission?.detach !== true) this.#abandon(known, 2 * this.#parts.leaseMs);
      void this.#goOn(known);
    }
    for (const execution of leftovers) void this.#tidy(execution);
    this.#drivers.open();
  }

  /** Another head leads: what runs here is its own from now on. */
  async depose(): Promise<void> {
    this.#reign?.end();
    this.#reign = undefined;
    this.#drivers.close();
    const known = [...this.#known.values()];
    this.#known.clear();
    this.#held.clear();
    for (const { abandoned } of known) abandoned?.();
    this.#drainings.clear();
    this.#rebalances.clear();
    this.actors.clear();
    await Promise.all(known.map(async ({ driver }) => driver?.kill()));
    // It may have been emptied: another connection finds out.
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Fulfilled once another head would go on with it. @throws QStreamError CLUSTER_FULL, FLOW_NOT_FOUND, STORE_*, HEAD_DEPOSED */
  async submit(execution: string, submission: Submission): Promise<void> {
    const { bundle, flow, resume } = submission;
    this.#drivers.admit();
    const submittedAt = this.#clock.now();
    const one = { execution, bundle, flow, submission: serialize(submission), submittedAt };
    if (resume === undefined) {
      await this.#leading().withCode(bundle, (state) => state.submit(one));
      this.#known.set(execution, newExecution(execution, submission, submittedAt));
      return;
    }
    await this.stored(resume.execution);
    const before = this.#known.get(execution);
    refuseResuming(resume.execution, before);
    const known = newExecution(execution, submission, submittedAt, (before?.drivers ?? 0) + 1);
    // From now on it runs, and nobody else can go on with it.
    this.#known.delete(execution);
    this.#known.set(execution, known);
    try {
      // It has told its end, and may not have closed all yet.
      await before?.driver?.kill();
      const isOurs = await this.#leading().withCode(bundle, (state) => state.resume(one, known.drivers));
      if (!isOurs) refuseResuming(resume.execution, known);
    } catch (error) {
      if (this.#known.get(execution) === known) {
        this.#known.delete(execution);
        if (before !== undefined) this.#known.set(execution, before);
        if (before !== undefined) void this.#tidy(execution);
      }
      throw error;
    }
  }

  /** What is kept of an execution that can be gone on with. @throws QStreamError EXECUTION_UNKNOWN, EXECUTION_TAKEN, STORE_* */
  stored(execution: string): Promise<Uint8Array> {
    refuseResuming(execution, this.#known.get(startedName(execution)));
    return descriptionOf(this.#store, execution);
  }

  /** Starts the driver of an execution that was submitted. */
  start(execution: string, client: Client): void {
    const known = this.#find(execution);
    known.clients.add(client);
    this.actors.started(known, client);
    this.#drive(known);
    // Its driver knows of no machine that is to go.
    this.#drainings.drained(execution);
    // It may have gone while this was written.
    if (client.isOver) this.clientGone(client);
  }

  machineJoined(machine: MachinePlace): void {
    this.#tellDrivers({ kind: "machine", machine });
  }

  machineGone(machine: string): void {
    this.#tellDrivers({ kind: "machine-gone", machine, why: "the head heard nothing of it for its lease" });
    this.#drainings.machineGone(machine);
  }

  /** Fulfilled once no execution has anything on a machine. */
  async drain(machine: string): Promise<void> {
    const running = this.#running().map(({ execution }) => execution);
    this.#tellDrivers({ kind: "drain", machine });
    await this.#drainings.await(machine, running);
  }

  /** Fulfilled once executions have said which channels move: one of them, or all. @throws QStreamError EXECUTION_UNKNOWN */
  rebalance(execution: string | undefined): Promise<readonly RebalancedExecution[]> {
    return this.#rebalances.ask(execution === undefined ? this.#running() : [this.#find(execution)]);
  }

  /** @throws QStreamError EXECUTION_UNKNOWN, STORE_* where it has ended, and its outputs can't be read */
  async follow(name: string, client: Client): Promise<void> {
    const known = this.#find(name);
    const { execution } = known;
    const end = known.end === undefined ? undefined : await this.#endOf(execution, known.end);
    tellAll(known, client);
    if (end !== undefined) {
      tellEnd(client, { execution, end, held: this.#held.get(execution) !== undefined });
      return;
    }
    known.abandoned?.();
    known.abandoned = undefined;
    known.clients.add(client);
  }

  async #endOf(execution: string, end: KnownEnd): Promise<End> {
    if (end.kind === "failed") return end;
    const outputs = this.#held.get(execution);
    if (outputs !== undefined) return { kind: "done", outputs };
    const kept = await this.#leading().state.execution(execution);
    if (kept !== undefined) return decodeEnd(kept.end);
    this.#known.delete(execution);
    throw outputsGone(execution);
  }

  /** A client has the outputs of an execution. */
  taken(execution: string): void {
    this.#held.drop(execution);
  }

  /** Fulfilled once another head would cancel it, too. */
  async cancel(execution: string, reason: string): Promise<void> {
    const known = this.#find(execution);
    if (known.status !== "running") return;
    await this.#leading().attempt((state) => state.cancel(known.execution, reason));
    known.cancel = reason;
    known.driver?.tell({ kind: "cancel", reason });
    if (known.pause !== undefined) void this.#goOn(known);
  }

  /** A client went away: what only it wanted is cancelled, unless it comes back soon. */
  clientGone(client: Client): void {
    for (const known of this.#known.values()) {
      if (!known.clients.delete(client) || known.clients.size > 0) continue;
      if (known.submission?.detach === false) this.#abandon(known, this.#parts.leaseMs);
    }
  }

  /** Hashes of the code of what isn't over. */
  get bundles(): ReadonlySet<string> {
    return new Set(this.#running().map(({ submission }) => submission?.bundle ?? ""));
  }

  listed(): readonly ListedExecution[] {
    return [...this.#known.values()].map((known) => listExecution(known));
  }

  #abandon(known: KnownExecution, leaseMs: number): void {
    if (known.status !== "running") return;
    known.abandoned = this.#clock.after(leaseMs, () => {
      const reason = `its client has been away for ${leaseMs} ms`;
      // Where Redis is away, it is cancelled here, and by another head when that finds no client.
      this.cancel(known.execution, reason).catch(() => known.driver?.tell({ kind: "cancel", reason }));
    });
  }

  #running(): readonly KnownExecution[] {
    return [...this.#known.values()].filter(({ status }) => status === "running");
  }

  #tellDrivers(message: ToDriver): void {
    for (const { driver } of this.#running()) driver?.tell(message);
  }

  #find(execution: string): KnownExecution {
    const known = this.#known.get(startedName(execution));
    if (known !== undefined) return known;
    throw executionUnknown(execution);
  }

  #drive(known: KnownExecution): void {
    const { submission, flow } = known;
    const reign = this.#reign;
    if (submission === undefined || reign === undefined) return;
    const start = driverStart(known, submission, reign.epoch, { ...this.#parts, measured: this.#measures.of(flow) });
    const driver = this.#drivers.start(start, (message) => this.#told(known, driver, message));
    known.driver = driver;
    if (known.cancel !== undefined) driver.tell({ kind: "cancel", reason: known.cancel });
  }

  /** Another driver goes on with an execution, from what is kept of it. */
  async #goOn(known: KnownExecution): Promise<void> {
    const { execution, submission } = known;
    endPause(known);
    if (this.#known.get(execution) !== known) return;
    if (submission?.options.store === "none" && known.begun) return this.#ended(known, known.drivers, lostForGood());
    const number = known.drivers + 1;
    try {
      const isRunning = await this.#leading().persist((state) => state.driver(execution, number));
      if (!isRunning || this.#known.get(execution) !== known) return;
      known.drivers = number;
      this.#drive(known);
      this.#drainings.drained(execution);
    } catch {
      // Another head leads.
    }
  }

  #told(known: KnownExecution, driver: DriverHandle, message: FromDriverProcess): void {
    const { execution, clients } = known;
    if (this.#known.get(execution) !== known || known.driver !== driver) return;
    switch (message.kind) {
      case "event":
        remember(known, message.event);
        for (const client of clients) client.tell({ kind: "event", execution, event: message.event });
        return;
      case "actors":
        this.actors.fromDriver(execution, message.content);
        return;
      case "drained":
        this.#drainings.drained(execution, message.machine);
        return;
      case "named":
        Object.assign(known, { name: message.name, isNamed: true });
        for (const client of clients) client.tell({ kind: "named", execution, name: message.name });
        return;
      case "begins":
        void this.#begins(known, driver);
        return;
      case "forsaken":
        known.trouble = message.error;
        return;
      case "rebalanced":
        this.#rebalances.answered(execution, message.moves, message.error);
        return;
      case "done":
      case "failed":
        void this.#ended(known, driver.number, message);
        return;
      case "gone":
        known.driver = undefined;
        this.#rebalances.gone(execution);
        if (known.end !== undefined) void this.#tidy(execution);
        else if (!known.ending) this.#crashed(known, driver.number, message.error);
    }
  }

  /** Without lineage nobody can go on with it from now on. That is kept before machines hear of it; a head that leads by now begins it. */
  async #begins(known: KnownExecution, driver: DriverHandle): Promise<void> {
    known.begun = true;
    const kept = this.#reign?.persist((state) => state.driver(known.execution, driver.number, true));
    if ((await kept?.catch(() => false)) === true) driver.tell({ kind: "begin" });
  }

  #crashed(known: KnownExecution, number: number, error: QStreamError): void {
    const failed = { kind: "failed", error: known.trouble ?? errorToData(error) } as const;
    const pauseMs = pauseBefore(++known.crashes, this.#parts.leaseMs);
    if (pauseMs === undefined) void this.#ended(known, number, failed);
    else known.pause = this.#clock.after(pauseMs, () => void this.#goOn(known));
  }

  /** Keeps the end of an execution, and then tells it. */
  async #ended(known: KnownExecution, number: number, end: End): Promise<void> {
    if (known.ending) return;
    known.ending = true;
    known.abandoned?.();
    const { execution, clients } = known;
    const { bytes, bytesLeftOut } = encodeEnd(end, known);
    try {
      const isKept = await this.#leading().persist((state) =>
        state.end(execution, number, statusOf(end), bytes, this.#clock.now()),
      );
      if (!isKept) return;
    } catch {
      // Another head leads, and goes on with it.
      return;
    }
    known.end = knownEnd(end);
    known.status = statusOf(end);
    if (end.kind === "done" && bytesLeftOut > 0) this.#held.hold(execution, end.outputs, bytesLeftOut);
    for (const client of clients) tellEnd(client, { execution, end, held: bytesLeftOut > 0 });
    clients.clear();
    this.#drivers.over(execution);
    this.actors.over(execution);
    if (end.kind === "done") this.#measures.learn(known.flow, known.metrics);
    this.#drainings.drained(execution);
    if (known.driver === undefined) void this.#tidy(execution);
    this.#forgetOldest();
  }

  /** Leaves of an execution whose end is kept what is needed to go on with it. */
  async #tidy(execution: string): Promise<void> {
    const store = this.#store;
    const known = this.#known.get(execution);
    try {
      await this.#leading().persist(async (state) => {
        // Somebody may go on with it by now.
        if (this.#known.get(execution) !== known) return;
        if (known === undefined) await store?.drop(execution);
        else if (store !== undefined) await settleLineage(store, known);
        await state.tidied(execution);
      });
    } catch {
      // The next head that leads does it.
    }
  }

  #leading(): Reign {
    if (this.#reign !== undefined) return this.#reign;
    throw notLeading();
  }

  #forgetOldest(): void {
    const ended = [...this.#known.values()].filter(({ end }) => end !== undefined);
    for (const { execution } of ended.slice(0, Math.max(0, ended.length - endedMax))) {
      this.#known.delete(execution);
      this.#held.drop(execution);
    }
  }
}
