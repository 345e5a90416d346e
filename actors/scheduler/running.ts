import { QStreamError } from "../../lib/core/errors.ts";
import type { Report } from "../slot/protocol.ts";
import type { ExecutionEvent, ExecutionMetrics, SlowTask } from "./execution-events.ts";
import type { ExecutionRecord } from "./execution-record.ts";
import type { ExecutionRequest } from "./execution-request.ts";
import type { ChannelLife, Lives } from "./lives.ts";
import type { RecoveryPlan } from "./plan-recovery.ts";
import type { Quiet } from "./quiet.ts";
import type { Recovering } from "./recovering.ts";
import type { SlowTasks } from "./slow-tasks.ts";

/** An execution as the scheduler follows it. */
export interface Running {
  readonly request: ExecutionRequest;
  readonly record: ExecutionRecord;
  /** Slots that know the execution. */
  readonly slots: string[];
  readonly lives: Lives;
  /** Undefined where what is lost can't be made again. */
  readonly recovering: Recovering | undefined;
  readonly startedAt: number;
  phase: "preparing" | "running" | "committing" | "stopping";
  readonly awaited: Set<string>;
  error: Error | undefined;
  /** How long nothing got on. */
  readonly quiet: Quiet;
  /** Which user code it waits for. */
  readonly slow: SlowTasks;
  cancelTimer: (() => void) | undefined;
  /** Losses since any task was last committed. */
  fruitlessLosses: number;
  tasksAtLoss: number;
  lastLoss: Error | undefined;
  /** Forgets that the execution waits for a place; undefined while it doesn't. */
  stopWaiting: (() => void) | undefined;
  /** Slots that were given up while they hung outside of any channel's task. */
  unplacedHangs: number;
}

/**
 * The channel of a life that is its present one. Undefined for one that another life takes over from, though that may not be
 * there yet: what the old one says, on a slot that lives or is only thought to be lost, isn't true of the channel any more.
 */
export function presentOf({ lives, recovering }: Running, life: number): ChannelLife | undefined {
  return recovering?.isOver(life) === true ? undefined : lives.ofLife(life);
}

/** The error of an execution for which no slot is left. */
export function noSlots({ lastLoss }: Running): Error {
  if (lastLoss !== undefined) return lastLoss;
  return new QStreamError("SLOT_LOST", "all slots of the session are lost", {
    advice: "No other could be started in their place: the messages before say why",
  });
}

/** The error of an execution in which everything waits for everything. */
export function deadlock(
  { request: { plan }, quiet, slots }: Running,
  stuck: { readonly edges: readonly number[]; readonly lines: readonly string[] },
): QStreamError {
  const replays = quiet.replaying(slots);
  if (replays > 0) {
    // They have followed their logs to the end, and their consumers still lack something that had been committed.
    return new QStreamError(
      "LINEAGE_REGRESSED",
      `${stuck.lines.slice(0, 6).join("; ")}, and the logs of ${replays} channels that make it again end before it`,
      { advice: "The store lost what it had confirmed: see docs/lineage-stores.md" },
    );
  }
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

/** Tells users how far an execution is, and notes whether it gets on. */
export function tellProgress(running: Running, report: Extract<Report, { kind: "progress" }>, now: number): void {
  const { request, record, quiet, slow, startedAt } = running;
  const { execution, onEvent } = request;
  const { tasks, fresh } = slow.look(report.slot, record, now);
  for (const task of fresh) onEvent({ kind: "task-slow", execution, ...task });
  onEvent(progressEvent(execution, record, now - startedAt, tasks));
  quiet.reported(report, record.pulse(), now);
}

/** The metrics are added up when somebody asks for them: there may be thousands of channels, and nobody who looks. */
function progressEvent(
  execution: string,
  record: ExecutionRecord,
  elapsedMs: number,
  slowTasks: readonly SlowTask[],
): ExecutionEvent {
  let metrics: ExecutionMetrics | undefined;
  return {
    kind: "progress",
    execution,
    get metrics() {
      return (metrics ??= { ...record.metrics(elapsedMs), ...(slowTasks.length === 0 ? {} : { slowTasks }) });
    },
  };
}

export function recoveredEvent({ request, lives }: Running, { recovered, replays }: RecoveryPlan): ExecutionEvent {
  const { execution, plan } = request;
  const channels = recovered.map(({ number, checkpoint }) => {
    const { step = -1, channel = -1, slot = "" } = lives.all[number] ?? {};
    return { step: plan.steps[step]?.id ?? "", channel, slot, checkpoint };
  });
  return { kind: "recovered", execution, channels, replays: replays.length };
}
