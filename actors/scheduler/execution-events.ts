import type { Place } from "../../lib/core/errors.ts";
import type { StepKind } from "../../lib/core/plan.ts";
import type { ChannelMetrics } from "../channel/channel-metrics.ts";
import type { ChannelState } from "../channel/channel-parts.ts";
import type { LineageMetrics } from "../lineage/lineage-metrics.ts";

/** Where one channel of a step runs. */
export interface ChannelPlacement {
  readonly step: string;
  readonly channel: number;
  readonly slot: string;
}

/** A channel that goes elsewhere. */
export interface ChannelMove extends ChannelPlacement {
  /** The slot that it leaves; `slot` is the one that it goes to. */
  readonly from: string;
}

/** What one channel did, and where. */
export interface ChannelSummary extends ChannelPlacement {
  readonly state: ChannelState;
  readonly metrics: ChannelMetrics;
}

/** The totals of a step over its channels. */
export interface StepSummary {
  readonly step: string;
  readonly kind: StepKind;
  readonly what: string;
  readonly channels: number;
  readonly channelsDone: number;
  readonly metrics: ChannelMetrics;
}

/** The measures of an execution, while it runs and at its end. */
export interface ExecutionMetrics {
  readonly execution: string;
  /** There where another process had begun it: what was done before it was gone on with isn't counted, nor the time for that. */
  readonly resumed?: true;
  readonly elapsedMs: number;
  readonly steps: readonly StepSummary[];
  readonly channels: readonly ChannelSummary[];
  /** Objects (rows) that readers produced. */
  readonly rowsRead: number;
  /** Bytes that went from slot to slot. */
  readonly bytesExchanged: number;
  /** Bytes that blocked stages wrote to disk. */
  readonly bytesSpooled: number;
  /** Largest resident memory seen, over the processes of all slots. */
  readonly memoryBytes: number;
  /**
   * Messages between slots that were refused, as they were of or for a life of a channel that another one had taken over from: what
   * a slot still said that was lost, or was moving on.
   */
  readonly lateMessages: number;
  /** Undefined without a store. */
  readonly lineage: LineageMetrics | undefined;
  /** What the execution waits for, where nothing has ended for long. */
  readonly slowTasks?: readonly SlowTask[];
}

/** A task whose asynchronous code doesn't come back, while nothing ends anywhere else in its execution. */
export interface SlowTask extends ChannelPlacement {
  /** The task's number; undefined where `open` is waited for. */
  readonly seq?: number;
  /** For how many milliseconds by now. */
  readonly waitMs: number;
}

/** A task that failed by user code, or hung in it, and doesn't fail its execution. */
export interface TaskFailed extends Required<Pick<Place, "step" | "channel" | "seq">> {
  readonly kind: "task-failed";
  readonly execution: string;
  /**
   * How often it has failed by now. A task that had taken several parcels is tried again with one at a time: the one that is wrong
   * counts from 1.
   */
  readonly attempt: number;
  /** How often it may. */
  readonly attempts: number;
  /** At the last attempt, a step with `onFailure: "skip"` passes over the objects that the task had taken. */
  readonly next: "try-again" | "pass-over";
  /** Its message tells the place, too. */
  readonly error: Error;
}

/** What happens in an execution, in the order in which it happens. */
export type ExecutionEvent =
  | { readonly kind: "placed"; readonly execution: string; readonly placement: readonly ChannelPlacement[] }
  | { readonly kind: "started"; readonly execution: string }
  /** Tasks are run twice, to see whether they do the same: which part of them, and of which steps none. */
  | {
      readonly kind: "verifying";
      readonly execution: string;
      readonly share: number;
      readonly unverified: readonly { readonly step: string; readonly why: string }[];
    }
  | { readonly kind: "progress"; readonly execution: string; readonly metrics: ExecutionMetrics }
  /** A slot ended. What ran there is made again elsewhere. */
  | { readonly kind: "slot-lost"; readonly execution: string; readonly slot: string; readonly error: Error }
  /** A task failed by user code, and the execution goes on: with another try, or without what the task had taken. */
  | TaskFailed
  /** For ten seconds, no task has ended but for this one that still runs. It is told once, and nothing is done about it. */
  | (SlowTask & { readonly kind: "task-slow"; readonly execution: string })
  /** Channels that were lost live again: where, and after which task their checkpoint was taken (-1: from the beginning). */
  | {
      readonly kind: "recovered";
      readonly execution: string;
      readonly channels: readonly (ChannelPlacement & { readonly checkpoint: number })[];
      /** Lives that make outputs of other channels again, for those. */
      readonly replays: number;
    }
  /**
   * Channels can't be placed, or others of a cluster's executions have to end first: what is missing, and for how many milliseconds at
   * most it is waited for; Infinity for as long as it takes.
   */
  | { readonly kind: "waiting"; readonly execution: string; readonly missing: string; readonly waitMs: number }
  /** Channels go elsewhere, so that the load is even. They are lost where they are, and `recovered` follows. */
  | { readonly kind: "rebalanced"; readonly execution: string; readonly moves: readonly ChannelMove[] }
  | { readonly kind: "done"; readonly execution: string; readonly metrics: ExecutionMetrics }
  | { readonly kind: "failed"; readonly execution: string; readonly error: Error; readonly metrics: ExecutionMetrics };
