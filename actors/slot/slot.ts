import { errorFromData, errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { LineageLog } from "../../lib/core/contracts/lineage.ts";
import type { LineageOrder } from "../lineage/protocol.ts";
import type { LinkMessage, Transport } from "../../lib/core/contracts/transport.ts";
import type { FlowReference } from "../../lib/core/flow-registry.ts";
import { hasActors } from "../../lib/core/plan.ts";
import type { Program } from "../../lib/core/program.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { Disk } from "../../lib/core/seam/disk.ts";
import type { ActorHost } from "../hosts/actor-host.ts";
import type { DatasetShelf } from "../../lib/core/dataset-shelf.ts";
import type { Order, PrepareOrder, Report } from "./protocol.ts";
import { ActorGuests, guestEdge } from "./actor-guests.ts";
import { FairTurns } from "./fair-turns.ts";
import type { HostedExecution } from "./hosted-execution.ts";
import { RelayedActors, type ActorsRelay } from "./relayed-actors.ts";
import { SlotExecution } from "./slot-execution.ts";
import type { TurnNotes } from "./turn-notes.ts";

/** The world as a slot reaches it: every part can be simulated. */
export interface SlotParts {
  readonly id: string;
  readonly host: ActorHost;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly files: FileSystem;
  /** Makes the temporary disk of one channel or spool. */
  readonly disk: () => Disk;
  readonly lineage: LineageLog & { readonly follow?: (order: LineageOrder) => void };
  readonly datasets: DatasetShelf;
  /** Builds a flow's program in this slot. */
  readonly load: (reference: FlowReference, args: unknown) => Promise<Program>;
  /** Bytes of memory that the slot's process uses, for the summary. */
  readonly memoryBytes: () => number;
  readonly report: (report: Report) => void;
  /** Notes on what the slot is at, where somebody watches that it comes back. */
  readonly notes?: TurnNotes | undefined;
  /** Leads to the client of a system of actors, where that is in another process. */
  readonly relay?: ActorsRelay | undefined;
}

/** What the scheduler tells a slot of an execution that it knows. */
type ExecutionOrder = Exclude<Order, LineageOrder | { readonly kind: "prepare" | "release-dataset" }>;

/** A slot's own parts, and those that its executions share. */
export interface SharedParts extends SlotParts {
  readonly turns: FairTurns;
}

const progressEveryMs = 100;

/** One slot: follows the scheduler's orders, and hands messages of links to the channels it runs. */
export class Slot {
  readonly #parts: SharedParts;
  readonly #executions = new Map<string, HostedExecution>();
  readonly #guests: ActorGuests;
  /** Executions whose flow is being loaded, and whether they were stopped meanwhile. */
  readonly #preparing = new Map<string, { stopped: boolean; readonly prepared: Promise<void> }>();
  #cancelProgress: (() => void) | undefined;
  #lateMessages = 0;
  /** Messages that executions have dropped that are over; and what was reported last, of all. */
  readonly #droppedBefore = { late: 0, repeated: 0 };
  #droppedTold = 0;

  constructor(parts: SlotParts) {
    this.#parts = { ...parts, turns: new FairTurns(parts.clock) };
    this.#guests = new ActorGuests(parts.transport, parts.clock);
    parts.transport.receive((message, from) => this.#receive(message, from));
  }

  /** Link messages that came for an execution which had ended here. */
  get lateMessages(): number {
    return this.#lateMessages;
  }

  order(order: Order): void {
    if (order.kind === "lineage-committed" || order.kind === "lineage-answer") {
      this.#parts.lineage.follow?.(order);
      return;
    }
    this.#follow(order).catch((error: unknown) => {
      this.#report({ kind: "failed", execution: order.execution, slot: this.#parts.id, error: errorToData(error) });
    });
  }

  async close(): Promise<void> {
    this.#cancelProgress?.();
    this.#cancelProgress = undefined;
    const closed = new QStreamError("SESSION_CLOSED", "the session was closed");
    await Promise.all([...this.#executions.values()].map((execution) => execution.stop(closed)));
    this.#executions.clear();
    this.#guests.close();
    this.#parts.host.close();
    await this.#parts.transport.close();
  }

  async #follow(order: Exclude<Order, LineageOrder>): Promise<void> {
    if (order.kind === "prepare") return this.#prepareOnce(order);
    if (order.kind === "release-dataset") {
      this.#parts.datasets.release(order.dataset);
      return;
    }
    if (order.kind === "survey" || order.kind === "recover" || order.kind === "connect" || order.kind === "start") {
      await this.#preparing.get(order.execution)?.prepared;
    }
    const execution = this.#executions.get(order.execution);
    if (execution === undefined) {
      // A stop can overtake a prepare, or come after one that failed: nothing runs, and the scheduler waits for the answer.
      const preparing = this.#preparing.get(order.execution);
      if (preparing !== undefined) preparing.stopped = true;
      if (order.kind === "stop") this.#report({ kind: "stopped", execution: order.execution, slot: this.#parts.id });
      return;
    }
    try {
      await this.#obey(execution, order);
    } catch (error) {
      if (this.#runs(execution)) throw error;
    }
  }

  async #obey(execution: HostedExecution, order: ExecutionOrder): Promise<void> {
    switch (order.kind) {
      case "start":
        execution.start();
        this.#watchProgress();
        return;
      case "survey":
        this.#report(execution.survey(order));
        return;
      case "recover":
        await execution.recover(order);
        if (!this.#runs(execution)) return;
        this.#report({ kind: "recovered", execution: order.execution, slot: this.#parts.id, round: order.round });
        return;
      case "connect":
        execution.connect(order.links);
        return;
      case "commit":
        // The last look at memory: a short execution may have had none.
        this.#reportProgress(execution);
        await execution.commit();
        if (!this.#runs(execution)) return;
        this.#report({ kind: "committed", execution: order.execution, slot: this.#parts.id });
        return;
      case "stop":
        await execution.stop(errorFromData(order.reason));
        this.#forget(execution);
        this.#report({ kind: "stopped", execution: order.execution, slot: this.#parts.id });
        return;
      case "release":
        await execution.release();
        this.#forget(execution);
    }
  }

  /** False once it was stopped: what was still being done for it is of no use to another driver that has begun it again meanwhile. */
  #runs(execution: HostedExecution): boolean {
    return this.#executions.get(execution.id) === execution;
  }

  #forget({ id, dropped }: HostedExecution): void {
    if (!this.#executions.delete(id)) return;
    this.#droppedBefore.late += dropped.staleMessages;
    this.#droppedBefore.repeated += dropped.repeatedParcels;
    this.#reportDropped();
  }

  async #prepareOnce(order: PrepareOrder): Promise<void> {
    const state = { stopped: false };
    const prepared = this.#prepare(order, state);
    const preparing = Object.assign(state, { prepared: prepared.catch(() => {}) });
    this.#preparing.set(order.execution, preparing);
    await prepared.finally(() => {
      // One that was stopped may be prepared again before it notices.
      if (this.#preparing.get(order.execution) === preparing) this.#preparing.delete(order.execution);
    });
  }

  async #prepare(order: PrepareOrder, state: { readonly stopped: boolean }): Promise<void> {
    const { load, notes } = this.#parts;
    const loading = (): Promise<Program> => load(order.reference, order.args);
    const program = await (notes === undefined ? loading() : notes.loads(order.execution, loading));
    if (state.stopped) return;
    if (program.fingerprint !== order.plan.fingerprint) {
      throw new QStreamError(
        "FINGERPRINT_CHANGED",
        `flow "${order.plan.flow}" is another one in ${this.#parts.id} (${program.fingerprint}) than where it was run (${order.plan.fingerprint})`,
        {
          advice:
            "Its builder must make the same steps wherever it runs: pass what varies as arguments, and don't read argv, the clock or globals",
        },
      );
    }
    // Most slots have flows only, and load nothing of actors.
    const actors = this.#isForActors(order) ? await import("./slot-actors.ts") : undefined;
    if (state.stopped) return;
    const hosted = actors ? new actors.SlotActors(order, program, this.#parts) : this.#hosted(order, program);
    this.#executions.set(order.execution, hosted);
    this.#report({ kind: "prepared", execution: order.execution, slot: this.#parts.id });
  }

  #isForActors({ plan }: PrepareOrder): boolean {
    return hasActors(plan) && this.#parts.relay === undefined;
  }

  #hosted(order: PrepareOrder, program: Program): HostedExecution {
    const { relay } = this.#parts;
    if (relay !== undefined && hasActors(order.plan)) return new RelayedActors(order, this.#parts, relay);
    return new SlotExecution(order, program, this.#parts);
  }

  #receive(message: LinkMessage, from: string): void {
    if (message.edge === guestEdge) {
      this.#guests.receive(message, from);
      return;
    }
    const execution = this.#executions.get(message.execution);
    if (execution === undefined) {
      this.#lateMessages++;
      // Nobody waits for that: it is told with others.
      this.#watchProgress();
      return;
    }
    try {
      execution.receive(message);
    } catch (error) {
      this.#report({ kind: "failed", execution: execution.id, slot: this.#parts.id, error: errorToData(error) });
    }
  }

  #watchProgress(): void {
    if (this.#cancelProgress !== undefined) return;
    this.#cancelProgress = this.#parts.clock.after(progressEveryMs, () => {
      this.#cancelProgress = undefined;
      for (const execution of this.#executions.values()) this.#reportProgress(execution);
      this.#reportDropped();
      if (this.#executions.size > 0) this.#watchProgress();
    });
  }

  #reportProgress(execution: HostedExecution): void {
    this.#report({
      kind: "progress",
      execution: execution.id,
      slot: this.#parts.id,
      channels: execution.channelReports(),
      replays: execution.replayReport(),
      memoryBytes: this.#parts.memoryBytes(),
      lateMessages: execution.dropped.staleMessages,
      onItsWay: execution.onItsWay,
    });
  }

  #reportDropped(): void {
    let late = this.#lateMessages + this.#droppedBefore.late;
    let { repeated } = this.#droppedBefore;
    for (const { dropped } of this.#executions.values()) {
      late += dropped.staleMessages;
      repeated += dropped.repeatedParcels;
    }
    if (late + repeated === this.#droppedTold) return;
    this.#droppedTold = late + repeated;
    this.#report({ kind: "dropped", execution: "", slot: this.#parts.id, late, repeated });
  }

  #report(report: Report): void {
    this.#parts.report(report);
  }
}
