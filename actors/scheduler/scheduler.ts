import { errorFromData, errorToData, QStreamError } from "../../lib/core/errors.ts";
import type { FlowReference } from "../../lib/core/flow-registry.ts";
import type { Limits } from "../../lib/core/limits.ts";
import type { Plan } from "../../lib/core/plan.ts";
import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import { placeChannels } from "../../lib/placement/index.ts";
import type { ActorHost, ActorReference } from "../hosts/actor-host.ts";
import type { ChannelOrder, Order, Report } from "../slot/protocol.ts";
import type { ExecutionEvent, ExecutionMetrics } from "./execution-events.ts";
import { ExecutionRecord } from "./execution-record.ts";

/** A slot as the scheduler commands it. */
export interface SlotHandle extends SlotPlace {
  order: (order: Order) => void;
  /** Gives the slot up: it didn't answer an order to stop in time. */
  lose: () => void;
}

export interface ExecutionRequest {
  readonly execution: string;
  readonly reference: FlowReference;
  readonly args: unknown;
  readonly plan: Plan;
  readonly limits: Limits;
  readonly seed: number;
  readonly strict: boolean;
  /** Splits of each reader, by step. */
  readonly splits: ReadonlyMap<number, readonly (readonly { readonly index: number; readonly split: unknown }[])[]>;
  readonly onEvent: (event: ExecutionEvent) => void;
  readonly resolve: (outcome: {
    readonly parts: ReadonlyMap<string, readonly unknown[]>;
    readonly metrics: ExecutionMetrics;
  }) => void;
  readonly reject: (error: Error) => void;
}

type Message =
  | { readonly kind: "run"; readonly request: ExecutionRequest }
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "cancel"; readonly execution: string; readonly reason: Error }
  | { readonly kind: "lost"; readonly slot: string; readonly error: Error }
  | { readonly kind: "late"; readonly execution: string };

interface Running {
  readonly request: ExecutionRequest;
  readonly record: ExecutionRecord;
  readonly slots: readonly string[];
  readonly startedAt: number;
  phase: "preparing" | "running" | "committing" | "stopping";
  readonly awaited: Set<string>;
  error: Error | undefined;
  pulse: number;
  /** Reports of each slot since anything got on. */
  readonly quietReports: Map<string, number>;
  cancelTimer: (() => void) | undefined;
}

// A slot that doesn't answer an order to stop within this time is stuck in a native call or an endless loop.
const stopGraceMs = 2000;
// Reports without any progress, from each slot (one that is busy doesn't report), after which an execution in which everything waits is called stuck.
const quietReportsMax = 12;

/** The actor that places channels on slots, follows executions through their phases, and ends them. */
export class Scheduler {
  readonly #slots: () => readonly SlotHandle[];
  readonly #client: SlotHandle;
  readonly #clock: Clock;
  readonly #actor: ActorReference<Message>;
  readonly #executions = new Map<string, Running>();
  #turn = 0;

  constructor(parts: { host: ActorHost; clock: Clock; slots: () => readonly SlotHandle[]; client: SlotHandle }) {
    this.#slots = parts.slots;
    this.#client = parts.client;
    this.#clock = parts.clock;
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

  /** A slot ended by itself. */
  slotLost(slot: string, error: Error): void {
    this.#actor.tell({ kind: "lost", slot, error });
  }

  close(): void {
    for (const running of this.#executions.values()) running.cancelTimer?.();
    this.#actor.stop();
  }

  #receive(message: Message): void {
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
        for (const running of this.#executions.values()) this.#lost(running, message.slot, message.error);
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
    const indexOf = new Map(slots.map((id, index) => [id, index]));
    const placed: string[][] = [];
    for (const step of plan.steps) {
      const turn = step.channels === 1 ? this.#turn++ : 0;
      placed.push(placeChannels(step, { slots: handles, client: this.#client.id, placed, turn }));
    }
    const placement = placed.map((channels) => channels.map((id) => indexOf.get(id) ?? -1));
    const record = new ExecutionRecord(execution, plan, slots, placement);
    const orders = this.#channelOrders(request, placement);
    const used = slots.filter((_, index) => orders[index] !== undefined);
    const running: Running = {
      request,
      record,
      slots: used,
      startedAt: this.#clock.monotonic(),
      phase: "preparing",
      awaited: new Set(used),
      error: undefined,
      pulse: -1,
      quietReports: new Map(),
      cancelTimer: undefined,
    };
    this.#executions.set(execution, running);
    request.onEvent({ kind: "placed", execution, placement: record.placement() });
    const { reference, args, limits, seed, strict } = request;
    slots.forEach((id, index) => {
      const channels = orders[index];
      if (channels === undefined) return;
      this.#order(id, {
        kind: "prepare",
        execution,
        reference,
        args,
        plan,
        limits,
        slots,
        placement,
        channels,
        seed,
        strict,
      });
    });
  }

  #channelOrders(request: ExecutionRequest, placement: readonly (readonly number[])[]): ChannelOrder[][] {
    const orders: ChannelOrder[][] = [];
    placement.forEach((channels, step) => {
      const splits = request.splits.get(step);
      channels.forEach((slot, channel) => {
        const own = splits?.[channel];
        (orders[slot] ??= []).push(own === undefined ? { step, channel } : { step, channel, splits: own });
      });
    });
    return orders;
  }

  #take(report: Report): void {
    const running = this.#executions.get(report.execution);
    if (running === undefined) return;
    switch (report.kind) {
      case "prepared":
        if (running.phase === "preparing" && this.#answered(running, report.slot)) {
          running.phase = "running";
          this.#orderAll(running, { kind: "start", execution: report.execution });
          running.request.onEvent({ kind: "started", execution: report.execution });
        }
        return;
      case "progress":
        this.#progress(running, report);
        return;
      case "channels-done":
        running.record.done(report.channels);
        if (running.record.allDone && running.phase === "running") this.#commit(running);
        return;
      case "committed":
        if (running.phase === "committing" && this.#answered(running, report.slot)) this.#finish(running);
        return;
      case "failed":
        this.#stop(running, errorFromData(report.error));
        return;
      case "stopped":
        if (running.phase === "stopping" && this.#answered(running, report.slot)) this.#failed(running);
    }
  }

  #progress(running: Running, report: Extract<Report, { kind: "progress" }>): void {
    const { record, request } = running;
    record.progress(report.channels, report.slot, report.memoryBytes);
    if (running.phase !== "running") return;
    request.onEvent(progressEvent(request.execution, record, this.#elapsed(running)));
    const pulse = record.pulse();
    const quiet = running.quietReports;
    if (pulse !== running.pulse) quiet.clear();
    running.pulse = pulse;
    quiet.set(report.slot, (quiet.get(report.slot) ?? 0) + 1);
    if (running.slots.some((slot) => (quiet.get(slot) ?? 0) < quietReportsMax)) return;
    const stuck = record.stuck();
    if (stuck !== undefined) this.#stop(running, deadlock(running.request.plan, stuck));
  }

  #commit(running: Running): void {
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
    running.awaited.clear();
    for (const slot of running.slots) running.awaited.add(slot);
    const { execution } = running.request;
    running.cancelTimer = this.#clock.after(stopGraceMs, () => this.#actor.tell({ kind: "late", execution }));
    this.#orderAll(running, { kind: "stop", execution, reason: errorToData(reason) });
  }

  #late(execution: string): void {
    const running = this.#executions.get(execution);
    if (running === undefined || running.phase !== "stopping") return;
    for (const slot of running.awaited) this.#handle(slot)?.lose();
    this.#failed(running);
  }

  #lost(running: Running, slot: string, error: Error): void {
    if (!running.slots.includes(slot)) return;
    if (running.phase !== "stopping") this.#stop(running, error);
    if (this.#answered(running, slot)) this.#failed(running);
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

  /** Notes a slot's answer; true once nobody's is awaited any more. */
  #answered(running: Running, slot: string): boolean {
    running.awaited.delete(slot);
    return running.awaited.size === 0;
  }

  #orderAll(running: Running, order: Order): void {
    for (const slot of running.slots) this.#order(slot, order);
  }

  #order(slot: string, order: Order): void {
    this.#handle(slot)?.order(order);
  }

  #handle(slot: string): SlotHandle | undefined {
    return slot === this.#client.id ? this.#client : this.#slots().find((handle) => handle.id === slot);
  }

  #elapsed(running: Running): number {
    return this.#clock.monotonic() - running.startedAt;
  }
}

function deadlock(
  plan: Plan,
  stuck: { readonly edges: readonly number[]; readonly lines: readonly string[] },
): QStreamError {
  const edges = stuck.edges.map((index) => {
    const edge = plan.edges[index];
    return edge === undefined
      ? ""
      : `from "${plan.steps[edge.from]?.id}" to input "${edge.input}" of "${plan.steps[edge.to]?.id}"`;
  });
  return new QStreamError("DEADLOCK", `everything waits for everything: ${stuck.lines.slice(0, 6).join("; ")}`, {
    advice: `Blocked ${edges.length === 1 ? "edge" : "edges"}: ${edges.join(", ")}. Give the input that must be read first a lower stage, or raise limits.inputBytes and limits.inputObjects`,
  });
}

/** The metrics are added up when somebody asks for them: there may be thousands of channels, and nobody who looks. */
function progressEvent(execution: string, record: ExecutionRecord, elapsedMs: number): ExecutionEvent {
  let metrics: ExecutionMetrics | undefined;
  return {
    kind: "progress",
    execution,
    get metrics() {
      return (metrics ??= record.metrics(elapsedMs));
    },
  };
}
