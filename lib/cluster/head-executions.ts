import { serialize } from "node:v8";
import type { MachinePlace } from "../../actors/cluster/protocol.ts";
import type { ClusterState } from "../../actors/stores/cluster-state.ts";
import { openStore } from "../../actors/stores/open-store.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import { errorToData, QStreamError } from "../core/errors.ts";
import { delay, systemClock } from "../core/seam/clock.ts";
import { openFileSystem } from "../files/index.ts";
import { DriverProcess, SpareDrivers, type FromDriverProcess } from "./driver-process.ts";
import type { HeadOptions } from "./head.ts";
import {
  encodeEnd,
  keptExecution,
  listExecution,
  newExecution,
  remember,
  statusOf,
  tellAll,
  tellEnd,
  type Client,
  type End,
  type KnownExecution,
} from "./known-execution.ts";
import type { DriverStart, ListedExecution, Submission, ToDriver } from "./protocol.ts";

export interface HeadExecutionsParts extends HeadOptions {
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
  readonly state: ClusterState;
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
  readonly #spares = new SpareDrivers();
  readonly #draining = new Set<Draining>();
  #store: LineageStore | undefined;
  #led: Led | undefined;

  constructor(parts: HeadExecutionsParts) {
    this.#parts = parts;
  }

  /** Goes on with what the head before this one had begun. @throws QStreamError STORE_*, HEAD_DEPOSED */
  async lead(epoch: number, state: ClusterState): Promise<void> {
    this.#store ??= await openStore(this.#parts.store, { files: openFileSystem({}) });
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
    this.#spares.open();
  }

  /** Another head leads: what runs here is its own from now on. */
  async depose(): Promise<void> {
    this.#led = undefined;
    this.#spares.close();
    const known = [...this.#known.values()];
    this.#known.clear();
    for (const { abandoned } of known) abandoned?.();
    for (const draining of this.#draining) draining.done();
    this.#draining.clear();
    await Promise.all(known.map(async ({ driver }) => driver?.kill()));
    // It may have been emptied: another connection finds out.
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Fulfilled once another head would go on with it. @throws QStreamError FLOW_NOT_FOUND, STORE_*, HEAD_DEPOSED */
  async submit(execution: string, submission: Submission): Promise<void> {
    const { bundle, flow } = submission;
    const submittedAt = systemClock.now();
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

  follow(execution: string, client: Client): void {
    const known = this.#find(execution);
    known.abandoned?.();
    known.abandoned = undefined;
    known.clients.add(client);
    client.tell({ kind: "submitted", execution });
    tellAll(known, client);
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
    known.abandoned = systemClock.after(leaseMs, () => {
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
    const { execution, submission } = known;
    const led = this.#led;
    if (submission === undefined || led === undefined) return;
    const { machines, bundleUrl, store, leaseMs, bind, security } = this.#parts;
    const start: DriverStart = {
      kind: "start",
      execution,
      driver: known.drivers,
      epoch: led.epoch,
      submission,
      bundle: { hash: submission.bundle, url: bundleUrl(submission.bundle) },
      machines: machines(),
      store,
      leaseMs,
      host: bind.host,
      token: security.token,
      tls: security.tls,
    };
    const driver = new DriverProcess(this.#spares.take(), start, (message) => this.#told(known, driver, message));
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

  #told(known: KnownExecution, driver: DriverProcess, message: FromDriverProcess): void {
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
      case "done":
      case "failed":
        void this.#ended(known, driver.number, message);
        return;
      case "gone":
        known.driver = undefined;
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
    const bytes = encodeEnd(end);
    try {
      const isKept = await this.#persist((state) =>
        state.end(execution, number, statusOf(end), bytes, systemClock.now()),
      );
      if (!isKept) return;
    } catch {
      // Another head leads, and goes on with it.
      return;
    }
    known.end = end;
    known.status = statusOf(end);
    for (const client of clients) tellEnd(known, client);
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
  async #persist<T>(step: (state: ClusterState) => Promise<T>): Promise<T> {
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
      await delay(systemClock, retryMs);
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
    for (const { execution } of ended.slice(0, Math.max(0, ended.length - endedMax))) this.#known.delete(execution);
  }
}
