import type { ErrorData } from "../../lib/core/errors.ts";
import type { FlowReference } from "../../lib/core/flow-registry.ts";
import type { Limits } from "../../lib/core/limits.ts";
import type { Plan } from "../../lib/core/plan.ts";
import type { ChannelMetrics } from "../channel/channel-metrics.ts";
import type { ChannelState } from "../channel/channel-parts.ts";

/** A channel that a slot is to run. */
export interface ChannelOrder {
  readonly step: number;
  readonly channel: number;
  /** Splits of a reader's channel. */
  readonly splits?: readonly { readonly index: number; readonly split: unknown }[];
}

/** Everything a slot needs to build its part of an execution: data only, code is found by the reference. */
export interface PrepareOrder {
  readonly kind: "prepare";
  readonly execution: string;
  readonly reference: FlowReference;
  /** The flow's arguments, encoded as one payload of one object. */
  readonly args: unknown;
  readonly plan: Plan;
  readonly limits: Limits;
  /** Slot of each channel: `slots[placement[step][channel]]`. */
  readonly slots: readonly string[];
  readonly placement: readonly (readonly number[])[];
  readonly channels: readonly ChannelOrder[];
  readonly seed: number;
  /** Freezes what operators are given, so that one that changes its input fails. */
  readonly strict: boolean;
}

/** What the scheduler tells a slot. */
export type Order =
  | PrepareOrder
  | { readonly kind: "start"; readonly execution: string }
  | { readonly kind: "commit"; readonly execution: string }
  | { readonly kind: "stop"; readonly execution: string; readonly reason: ErrorData }
  | { readonly kind: "release"; readonly execution: string }
  | { readonly kind: "release-dataset"; readonly execution: string; readonly dataset: string };

/** A channel's condition, as data. */
export interface ChannelReport {
  readonly step: number;
  readonly channel: number;
  readonly state: ChannelState;
  /** Absent while nothing was done. */
  readonly metrics?: ChannelMetrics;
  readonly waits?: {
    readonly inputs: readonly string[];
    readonly blocked: readonly string[];
    readonly edges: readonly number[];
  };
}

/** What a slot tells the scheduler. */
export type Report =
  | { readonly kind: "prepared"; readonly execution: string; readonly slot: string }
  | {
      readonly kind: "channels-done";
      readonly execution: string;
      readonly slot: string;
      readonly channels: readonly DoneChannel[];
    }
  | {
      readonly kind: "progress";
      readonly execution: string;
      readonly slot: string;
      readonly channels: readonly ChannelReport[];
      readonly memoryBytes: number;
    }
  | { readonly kind: "committed"; readonly execution: string; readonly slot: string }
  | { readonly kind: "stopped"; readonly execution: string; readonly slot: string }
  | { readonly kind: "failed"; readonly execution: string; readonly slot: string; readonly error: ErrorData };

export interface DoneChannel {
  readonly step: number;
  readonly channel: number;
  readonly metrics: ChannelMetrics;
  /** A sink's part of the result. */
  readonly part?: unknown;
}
