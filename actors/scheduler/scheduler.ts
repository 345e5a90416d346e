import { errorFromData, errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { placePlan, type MissingPlace } from "../../lib/placement/index.ts";
import type { ActorHost, ActorReference } from "../hosts/actor-host.ts";
import type { LineageActor } from "../lineage/lineage-actor.ts";
import type { Order, Report } from "../slot/protocol.ts";
import type { ChannelMove } from "./execution-events.ts";
import { ExecutionRecord } from "./execution-record.ts";
import { channelOrders, placesOf, prepareOrder, type ExecutionRequest, type SlotHandle } from "./execution-request.ts";
import { GatheredLosses } from "./gathered-losses.ts";
import { joinRecovery } from "./join-recovery.ts";
import { Lives } from "./lives.ts";
import type { RecoveryPlan } from "./plan-recovery.ts";
import { Losses } from "./losses.ts";
import { executionOf, type LossMessage, type LossReason, type Message } from "./messages.ts";
import { Quiet } from "./quiet.ts";
import { Rebalancing } from "./rebalancing.ts";
import type { Recovering } from "./recovering.ts";
import { deadlock, noSlots, presentOf, recoveredEvent, tellProgress, type Running } from "./running.ts";
import { SlotIndex } from "./slot-index.ts";
import { SlowTasks } from "./slow-tasks.ts";

// A slot that doesn't answer an order to stop within this time is stuck in a native call or an endless loop.
const stopGraceMs = 2000;

/** The actor that places channels on slots, follows executions through their phases, and ends them. */
export class Scheduler {
  readonly #slots: () => readonly SlotHandle[];
  readonly #client: SlotHandle;
  readonly #index: SlotIndex;
  readonly #clock: Clock;
  readonly #actor: ActorReference<Message>;
  readonly #executions = new Map<string, Running>();
  readonly #lineage: LineageActor | undefined;
  readonly #losses: Losses;
  readonly #rebalancing: Rebalancing;
  readonly #lostSlots = new GatheredLosses();
  #turn = 0;

  constructor(parts: {
    readonly host: ActorHost;
    readonly clock: Clock;
    readonly slots: () => readonly SlotHandle[];
    readonly client: SlotHandle;
    readonly lineage?: LineageActor | undefined;
    /** Channels move to slots with less to do without anybody asking for it. */
    readonly rebalances?: boolean | undefined;
  }) {
    this.#slots = parts.slots;
    this.#lineage = parts.lineage;
    this.#client = parts.client;
    this.#index = new SlotIndex(parts.client, parts.slots);
    this.#clock = parts.clock;
    this.#losses = new Losses({
      lineage: parts.lineage,
      stop: (running, reason) => this.#stop(running, reason),
      counted: (failure, count, lost) => this.#actor.tell({ kind: "failure-counted", failure, count, lost }),
      cancel: (execution, reason) => this.cancel(execution, reason),
    });
    this.#rebalancing = new Rebalancing({
      clock: parts.clock,
      slots: parts.slots,
      client: parts.client.id,
      byItself: parts.rebalances === true,
      again: (request) => this.#actor.tell(request),
      recover: (running, numbers) => this.#losses.recover(running, numbers),
    });
    this.#actor = parts.host.spawn<Message>("scheduler", {
      receive: (message) => this.#receive(message),
      crashed: (error) => this.#crashed(error),
    });
  }

  run(request: ExecutionRequest): void {
    this.#actor.tell({ kind: "run", request });
  }

  report(report: Report): void {
    this.#actor.tell({ kind: "report", report });
  }

  cancel(execution: string, reason: Error): void {
    this.#actor.tell({ kind: "cancel", execution, reason });
  }

  /**
   * A slot ended by itself, or was given up. Those that are lost by the same error, as all of a machine are, are one loss.
   *
   * @param reason - why, where that is known
   */
  slotLost(slot: string, error: Error, reason?: LossReason): void {
    const loss = this.#lostSlots.add(slot, error, reason);
    if (loss !== undefined) this.#actor.tell(loss);
  }

  /** Another slot can be used, or none came in place of a lost one; `isLast` where no other is awaited. */
  slotAdded(isLast: boolean): void {
    this.#actor.tell({ kind: "slot-added", isLast });
  }

  /** Moves channels to slots that have less to do. Fulfilled with those that go elsewhere, once they are on their way. */
  rebalance(execution: string): Promise<readonly ChannelMove[]> {
    return new Promise((answer, refuse) => {
      this.#actor.tell({ kind: "rebalance", subject: execution, answer, refuse });
    });
  }

  close(): void {
    for (const { cancelTimer, stopWaiting } of this.#executions.values()) {
      cancelTimer?.();
      stopWaiting?.();
    }
    this.#actor.stop();
    this.#rebalancing.close();
  }

  #receive(message: Message): void {
    try {
      this.#handleMessage(message);
    } catch (error) {
      const execution = executionOf(message);
      const running = execution === undefined ? undefined : this.#executions.get(execution);
      if (running === undefined) throw error;
      this.#stop(running, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #handleMessage(message: Message): void {
    switch (message.kind) {
      case "run":
        this.#start(message.request);
        return;
      case "report":
        this.#take(message.report);
        return;
      case "cancel": {
        const running = this.#executions.get(message.execution);
        if (running !== undefined) this.#stop(running, message.reason);
        return;
      }
      case "lost":
        this.#lostSlots.taken(message);
        for (const running of this.#executions.values()) this.#lost(running, message);
        return;
      case "slot-added":
        for (const running of this.#executions.values()) {
          if (running.recovering?.slotAdded(message.isLast) === false) this.#stop(running, noSlots(running));
        }
        return;
      case "fenced": {
        const running = this.#executions.get(message.execution);
        if (running?.phase !== "stopping") running?.recovering?.fenced(message.round, message.channels);
        return;
      }
      case "failure-counted": {
        const { failure, count, lost } = message;
        this.#losses.failureCounted(this.#executions.get(failure.execution), failure, count, lost);
        return;
      }
      case "rebalance":
        this.#rebalancing.asked(this.#executions.get(message.subject), message);
        return;
      case "late":
        this.#late(message.execution);
    }
  }

  #start(request: ExecutionRequest): void {
    try {
      this.#prepare(request);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      const running = this.#executions.get(request.execution);
      if (running === undefined) request.reject(reason);
      else this.#stop(running, reason);
    }
  }

  #prepare(request: ExecutionRequest): void {
    const { plan, execution } = request;
    const handles = this.#slots();
    const slots = [...handles.map((slot) => slot.id), this.#client.id];
    const turn = (): number => this.#turn++;
    const placed = placePlan(plan, { slots: handles, client: this.#client.id, turn, sizes: request.sizes });
    const placement = placesOf(placed, slots);
    const record = new ExecutionRecord(request, slots, placement, () => this.#lineage?.written(execution));
    const orders = channelOrders(request, placement);
    // One that goes on has no channel anywhere yet.
    const used = request.resumed === true ? [] : slots.filter((_, index) => orders[index] !== undefined);
    const running: Running = {
      request,
      record,
      slots: used,
      lives: new Lives(plan, (step, channel) => placed[step]?.[channel] ?? "", request.firstLife),
      recovering: undefined,
      startedAt: this.#clock.monotonic(),
      phase: "preparing",
      awaited: new Set(used),
      error: undefined,
      quiet: new Quiet(),
      slow: new SlowTasks(),
      cancelTimer: undefined,
      fruitlessLosses: 0,
      tasksAtLoss: -1,
      lastLoss: undefined,
      unplacedHangs: 0,
      stopWaiting: undefined,
    };
    const recoverable = { ...running, recovering: this.#recoveringOf(running, request) };
    this.#executions.set(execution, recoverable);
    request.onEvent({ kind: "placed", execution, placement: record.placement() });
    if (request.resumed === true) {
      this.#losses.recover(
        recoverable,
        recoverable.lives.all.map(({ number }) => number),
      );
      return;
    }
    slots.forEach((id, index) => {
      const channels = orders[index];
      if (channels !== undefined) this.#order(id, prepareOrder(request, slots, placement, channels, handles));
    });
  }

  #recoveringOf(running: Running, { execution, recovery }: ExecutionRequest): Recovering | undefined {
    const lineage = this.#lineage;
    if (recovery === undefined || lineage === undefined) return undefined;
    return joinRecovery(running, {
      lineage,
      clock: this.#clock,
      client: this.#client.id,
      slots: () => this.#slots(),
      order: (slot, order) => this.#order(slot, order),
      phase: () => this.#executions.get(execution)?.phase,
      fenced: (round, channels) => this.#actor.tell({ kind: "fenced", execution, round, channels }),
      failed: (error) => this.cancel(execution, error),
      waits: (missing) => this.#waits(execution, missing),
      done: (plan) => this.#recovered(execution, plan),
    });
  }

  #take(report: Report): void {
    const running = this.#executions.get(report.execution);
    if (running === undefined) return;
    switch (report.kind) {
      case "prepared":
        if (running.phase !== "preparing" || !this.#answered(running, report.slot)) return;
        if (running.recovering?.active !== true) this.#started(running);
        return;
      case "progress":
        this.#progress(running, report);
        return;
      case "surveyed":
        if (running.phase !== "stopping") running.recovering?.surveyed(report);
        return;
      case "recovered":
        if (running.phase !== "stopping") running.recovering?.recovered(report);
        return;
      case "channel-failed":
        this.#losses.channelFailed(running, report);
        return;
      case "channels-done":
        // A life that was given up may have ended before it heard of that.
        running.record.done(report.channels.filter(({ life }) => presentOf(running, life) !== undefined));
        if (running.record.allDone && running.phase === "running" && running.recovering?.active !== true) {
          this.#commit(running);
        }
        return;
      case "committed":
        if (running.phase === "committing" && this.#answered(running, report.slot)) this.#finish(running);
        return;
      case "failed":
        this.#stop(running, errorFromData(report.error));
        return;
      case "stopped":
        if (running.phase === "stopping" && this.#answered(running, report.slot)) this.#failed(running);
        return;
      default:
      // What is for the lineage actor goes there.
    }
  }

  #recovered(execution: string, recovery: RecoveryPlan): void {
    const running = this.#executions.get(execution);
    if (running === undefined) return;
    const { record, request } = running;
    running.stopWaiting?.();
    running.stopWaiting = undefined;
    for (const { step, channel, slot } of recovery.placed) record.moved(step, channel, slot);
    request.onEvent(recoveredEvent(running, recovery));
    if (running.phase === "preparing" && running.awaited.size === 0) this.#started(running);
    // A slot may have been lost while sinks were committing.
    if (record.allDone && running.phase === "running") this.#commit(running);
  }

  /** A strategy can't be met with the slots that there are: others may come within its time. */
  #waits(execution: string, missing: MissingPlace): void {
    const running = this.#executions.get(execution);
    if (running === undefined || running.stopWaiting !== undefined) return;
    const waitMs = missing.waitMs ?? 0;
    running.request.onEvent({ kind: "waiting", execution, missing: missing.missing, waitMs });
    running.stopWaiting = this.#clock.after(waitMs, () => this.cancel(execution, missing));
  }

  #started(running: Running): void {
    const { execution } = running.request;
    running.phase = "running";
    this.#orderAll(running, { kind: "start", execution });
    running.request.onEvent({ kind: "started", execution });
  }

  #progress(running: Running, report: Extract<Report, { kind: "progress" }>): void {
    const { record, lives } = running;
    // A slot that was given up may still speak for what runs elsewhere by now.
    const channels = report.channels.filter(({ step, channel }) => lives.at(step, channel)?.slot === report.slot);
    record.progress(channels, report.slot, report.memoryBytes, report.lateMessages);
    if (running.phase !== "running" || running.recovering?.active === true) return;
    tellProgress(running, report, this.#clock.monotonic());
    this.#rebalancing.look(running);
    const stuck = running.quiet.isLong(running.slots) ? record.stuck() : undefined;
    if (stuck !== undefined) this.#stop(running, deadlock(running, stuck));
  }

  #commit(running: Running): void {
    if (running.request.drain !== undefined) return this.#finish(running);
    running.phase = "committing";
    for (const slot of running.slots) running.awaited.add(slot);
    this.#orderAll(running, { kind: "commit", execution: running.request.execution });
  }

  #finish(running: Running): void {
    const { request, record } = running;
    this.#executions.delete(request.execution);
    this.#orderAll(running, { kind: "release", execution: request.execution });
    const metrics = record.metrics(this.#elapsed(running));
    request.onEvent({ kind: "done", execution: request.execution, metrics });
    request.resolve({ parts: record.parts(), metrics });
  }

  #stop(running: Running, reason: Error): void {
    if (running.phase === "stopping") return;
    running.phase = "stopping";
    running.error = reason;
    running.stopWaiting?.();
    if (running.slots.length === 0) return this.#failed(running); // it was to be gone on with, and no slot knows yet
    for (const slot of running.slots) running.awaited.add(slot);
    const { execution } = running.request;
    running.cancelTimer = this.#clock.after(stopGraceMs, () => this.#actor.tell({ kind: "late", execution }));
    this.#orderAll(running, { kind: "stop", execution, reason: errorToData(reason) });
  }

  #late(execution: string): void {
    const running = this.#executions.get(execution);
    if (running === undefined || running.phase !== "stopping") return;
    for (const slot of running.awaited) this.#index.find(slot)?.lose();
    this.#failed(running);
  }

  #lost(running: Running, { slots, error, reason }: LossMessage): void {
    const lost = slots.filter((slot) => running.slots.includes(slot));
    if (lost.length === 0) return;
    if (running.phase !== "stopping" && this.#losses.slotsLost(running, lost, error, reason)) return;
    if (this.#answered(running, ...lost)) this.#failed(running);
  }

  #failed(running: Running): void {
    const { request, record } = running;
    if (!this.#executions.delete(request.execution)) return;
    running.cancelTimer?.();
    const error = running.error ?? new QStreamError("EXECUTION_FAILED", "the execution failed");
    const metrics = record.metrics(this.#elapsed(running));
    request.onEvent({ kind: "failed", execution: request.execution, error, metrics });
    request.reject(error);
  }

  #crashed(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const { request } of this.#executions.values()) request.reject(reason);
    this.#executions.clear();
  }

  /** Notes that slots have answered, or won't; true once nobody's answer is awaited any more. */
  #answered(running: Running, ...slots: readonly string[]): boolean {
    for (const slot of slots) running.awaited.delete(slot);
    return running.awaited.size === 0;
  }

  #orderAll(running: Running, order: Order): void {
    for (const slot of running.slots) this.#order(slot, order);
  }

  #order(slot: string, order: Order): void {
    this.#index.find(slot)?.order(order);
  }

  #elapsed(running: Running): number {
    return this.#clock.monotonic() - running.startedAt;
  }
}
