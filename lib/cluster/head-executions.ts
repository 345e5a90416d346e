import { serialize } from "node:v8";
import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import type { Coordination } from "../core/contracts/coordination.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { errorToData, QStreamError } from "../core/errors.ts";
import { delay, type Clock } from "../core/seam/clock.ts";
import type { DriverHandle, Drivers, FromDriverProcess } from "./driver-process.ts";
import { driverStart, measuredBefore } from "./driver-start.ts";
import type { HeadWorld } from "./head-world.ts";
import { HeldOutputs } from "./held-outputs.ts";
import type { HeadOptions } from "./head.ts";
import {
  decodeEnd,
  encodeEnd,
  keptExecution,
  knownEnd,
  listExecution,
  newExecution,
  remember,
  statusOf,
  tellAll,
  tellEnd,
  type Client,
  type End,
  type KnownEnd,
  type KnownExecution,
} from "./known-execution.ts";
import type { ListedExecution, RebalancedExecution, Submission, ToDriver } from "./protocol.ts";
import { Rebalances } from "./rebalances.ts";

export interface HeadExecutionsParts extends HeadOptions {
  readonly world: HeadWorld;
  /** Machines that executions may be placed on. */
  readonly machines: () => readonly MachinePlace[];
  readonly bundleUrl: (hash: string) => string;
  /** Keeps a bundle again that this head still has. False where it hasn't. */
  readonly keepBundle: (hash: string) => Promise<boolean>;
  /** A write was refused: another head leads. */
  readonly deposed: () => void;
}

interface Led {
  readonly epoch: number;
  readonly state: Coordination;
}

interface Draining {
  readonly machine: string;
  readonly awaited: Set<string>;
  readonly done: () => void;
}

// Executions that are over, of which the head still knows the end.
const endedMax = 100;
// Drivers of one execution that may end by themselves, one after the other.
const crashesMax = 4;
const retryMs = 200;

/**
 * The executions of a cluster, each with its driver and the clients that follow it. What has to outlive this head is in Redis before
 * anybody is told of it; drivers end with their head, and another one starts them again.
 */
export class HeadExecutions {
  readonly #parts: HeadExecutionsParts;
  readonly #known = new Map<string, KnownExecution>();
  readonly #drivers: Drivers;
  readonly #clock: Clock;
  readonly #draining = new Set<Draining>();
  readonly #held: HeldOutputs;
  readonly #rebalances = new Rebalances();
  #store: LineageStore | undefined;
  #led: Led | undefined;

  constructor(parts: HeadExecutionsParts) {
    this.#parts = parts;
    this.#drivers = parts.world.drivers();
    this.#clock = parts.world.sockets.clock;
    this.#held = new HeldOutputs(undefined, this.#clock);
  }

  /** Goes on with what the head before this one had begun. @throws QStreamError STORE_*, HEAD_DEPOSED */
  async lead(epoch: number, state: Coordination): Promise<void> {
    this.#store ??= await this.#parts.world.openStore(this.#parts.store);
    this.#led = { epoch, state };
    const { executions, leftovers } = await state.load(0);
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
    this.#led = undefined;
    this.#drivers.close();
    const known = [...this.#known.values()];
    this.#known.clear();
    this.#held.clear();
    for (const { abandoned } of known) abandoned?.();
    for (const draining of this.#draining) draining.done();
    this.#draining.clear();
    this.#rebalances.clear();
    await Promise.all(known.map(async ({ driver }) => driver?.kill()));
    // It may have been emptied: another connection finds out.
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Fulfilled once another head would go on with it. @throws QStreamError FLOW_NOT_FOUND, STORE_*, HEAD_DEPOSED */
  async submit(execution: string, submission: Submission): Promise<void> {
    const { bundle, flow } = submission;
    const submittedAt = this.#clock.now();
    const one = { execution, bundle, flow, submission: serialize(submission), submittedAt };
    const state = this.#leading().state;
    await state.submit(one).catch(async (error: unknown) => {
      // It was long ago that somebody used it.
      if (!(error instanceof QStreamError) || error.code !== "FLOW_NOT_FOUND") throw this.#noticed(error);
      if (!(await this.#parts.keepBundle(bundle))) throw error;
      await state.submit(one);
    });
    this.#known.set(execution, newExecution(execution, submission, submittedAt));
  }

  /** Starts the driver of an execution that was submitted. */
  start(execution: string, client: Client): void {
    const known = this.#find(execution);
    known.clients.add(client);
    this.#drive(known);
    // It may have gone while this was written.
    if (client.isOver) this.clientGone(client);
  }

  machineJoined(machine: MachinePlace): void {
    this.#tellDrivers({ kind: "machine", machine });
  }

  machineGone(machine: string): void {
    this.#tellDrivers({ kind: "machine-gone", machine, why: "the head heard nothing of it for its lease" });
    for (const draining of this.#draining) if (draining.machine === machine) draining.done();
  }

  /** Fulfilled once no execution has anything on a machine. */
  async drain(machine: string): Promise<void> {
    const awaited = new Set(this.#running().map(({ execution }) => execution));
    this.#tellDrivers({ kind: "drain", machine });
    if (awaited.size === 0) return;
    await new Promise<void>((done) => {
      const draining = { machine, awaited, done: () => (this.#draining.delete(draining), done()) };
      this.#draining.add(draining);
    });
  }

  /** Fulfilled once executions have said which channels move: one of them, or all. @throws QStreamError EXECUTION_UNKNOWN */
  rebalance(execution: string | undefined): Promise<readonly RebalancedExecution[]> {
    return this.#rebalances.ask(execution === undefined ? this.#running() : [this.#find(execution)]);
  }

  /** @throws QStreamError EXECUTION_UNKNOWN, STORE_* where it has ended, and its outputs can't be read */
  async follow(execution: string, client: Client): Promise<void> {
    const known = this.#find(execution);
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
    throw new QStreamError(
      "EXECUTION_UNKNOWN",
      `execution ${execution} is done, and its outputs aren't kept any more`,
      {
        advice: "Run it again; what is to be there for long is for files: toParquet, toCsv",
      },
    );
  }

  /** A client has the outputs of an execution. */
  taken(execution: string): void {
    this.#held.drop(execution);
  }

  /** Fulfilled once another head would cancel it, too. */
  async cancel(execution: string, reason: string): Promise<void> {
    const known = this.#find(execution);
    if (known.status !== "running") return;
    const { state } = this.#leading();
    await state.cancel(execution, reason).catch((error: unknown) => {
      throw this.#noticed(error);
    });
    known.cancel = reason;
    known.driver?.tell({ kind: "cancel", reason });
  }

  /** A client went away: what only it wanted is cancelled, unless it comes back soon. */
  clientGone(client: Client): void {
    for (const known of this.#known.values()) {
      if (!known.clients.delete(client) || known.clients.size > 0) continue;
      if (known.submission?.detach === false) this.#abandon(known, this.#parts.leaseMs);
    }
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
    const known = this.#known.get(execution);
    if (known !== undefined) return known;
    throw new QStreamError("EXECUTION_UNKNOWN", `the cluster has no execution ${execution}`, {
      advice: "qstream ps lists those that it has",
    });
  }

  #drive(known: KnownExecution): void {
    const { submission } = known;
    const led = this.#led;
    if (submission === undefined || led === undefined) return;
    const measured = measuredBefore(this.listed(), known.flow);
    const start = driverStart(known, submission, led.epoch, { ...this.#parts, measured });
    const driver = this.#drivers.start(start, (message) => this.#told(known, driver, message));
    known.driver = driver;
    if (known.cancel !== undefined) driver.tell({ kind: "cancel", reason: known.cancel });
  }

  /** Another driver goes on with an execution, from what is kept of it. */
  async #goOn(known: KnownExecution): Promise<void> {
    const { execution, submission } = known;
    if (submission?.options.store === "none") {
      await this.#ended(known, known.drivers, {
        kind: "failed",
        error: errorToData(
          new QStreamError("EXECUTION_FAILED", "the driver of the execution ended, and it keeps no lineage", {
            advice: 'Run it again, without the store "none": then another driver goes on with it',
          }),
        ),
      });
      return;
    }
    const number = known.drivers + 1;
    try {
      const isRunning = await this.#persist((state) => state.driver(execution, number));
      if (!isRunning || this.#known.get(execution) !== known) return;
      known.drivers = number;
      this.#drive(known);
      for (const draining of this.#draining) this.#drained(draining, execution);
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
      case "drained":
        for (const draining of this.#draining) {
          if (draining.machine === message.machine) this.#drained(draining, execution);
        }
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

  #crashed(known: KnownExecution, number: number, error: QStreamError): void {
    if (++known.crashes > crashesMax) void this.#ended(known, number, { kind: "failed", error: errorToData(error) });
    else void this.#goOn(known);
  }

  /** Keeps the end of an execution, and then tells it. */
  async #ended(known: KnownExecution, number: number, end: End): Promise<void> {
    if (known.ending) return;
    known.ending = true;
    known.abandoned?.();
    const { execution, clients } = known;
    const { bytes, bytesLeftOut } = encodeEnd(end);
    try {
      const isKept = await this.#persist((state) =>
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
    for (const draining of this.#draining) this.#drained(draining, execution);
    if (known.driver === undefined) void this.#tidy(execution);
    this.#forgetOldest();
  }

  #drained(draining: Draining, execution: string): void {
    draining.awaited.delete(execution);
    if (draining.awaited.size === 0) draining.done();
  }

  /** Drops the lineage of an execution whose end is kept. */
  async #tidy(execution: string): Promise<void> {
    const store = this.#store;
    try {
      await this.#persist(async (state) => {
        await store?.drop(execution);
        await state.tidied(execution);
      });
    } catch {
      // The next head that leads drops it.
    }
  }

  #leading(): Led {
    if (this.#led !== undefined) return this.#led;
    throw new QStreamError("HEAD_DEPOSED", "another head leads the cluster by now");
  }

  /** Does a step for as long as it takes, while this head leads. @throws QStreamError HEAD_DEPOSED, STORE_LOST */
  async #persist<T>(step: (state: Coordination) => Promise<T>): Promise<T> {
    const led = this.#leading();
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until Redis is back
        return await step(led.state);
      } catch (error) {
        const code = error instanceof QStreamError ? error.code : undefined;
        if (code !== "STORE_UNAVAILABLE" && code !== "STORE_REFUSED") throw this.#noticed(error);
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(this.#clock, retryMs);
      if (this.#led !== led) throw new QStreamError("HEAD_DEPOSED", "another head leads the cluster by now");
    }
  }

  #noticed(error: unknown): unknown {
    if (error instanceof QStreamError && (error.code === "HEAD_DEPOSED" || error.code === "STORE_LOST")) {
      this.#parts.deposed();
    }
    return error;
  }

  #forgetOldest(): void {
    const ended = [...this.#known.values()].filter(({ end }) => end !== undefined);
    for (const { execution } of ended.slice(0, Math.max(0, ended.length - endedMax))) {
      this.#known.delete(execution);
      this.#held.drop(execution);
    }
  }
}
