import type { ErrorData } from "../../lib/core/errors.ts";
import type { FlowReference } from "../../lib/core/flow-registry.ts";
import type { Limits } from "../../lib/core/limits.ts";
import type { SlotPlace } from "../../lib/core/placement-strategy.ts";
import type { Plan } from "../../lib/core/plan.ts";
import type { ChannelMetrics } from "../channel/channel-metrics.ts";
import type { ChannelState, FailedTask } from "../channel/channel-parts.ts";
import type { CheckpointPolicy } from "../channel/checkpoints.ts";
import type { NumberedSplit } from "../channel/reader-work.ts";
import type { Recovery } from "../channel/replay.ts";
import type { LineageOrder, LineageReport } from "../lineage/protocol.ts";

/** One life of a channel, and where it runs. */
export interface LifePlace {
  readonly life: number;
  readonly slot: string;
}

/** A channel that a slot is to run. */
export interface ChannelOrder {
  readonly step: number;
  readonly channel: number;
  readonly life: number;
  /** Under which generation it writes its lineage. */
  readonly generation: number;
  /** Splits of a reader's channel. */
  readonly splits?: readonly NumberedSplit[];
  /** For a life that follows one that was lost. */
  readonly recovery?: Recovery;
  /** For a life that only makes outputs again: who gets them. */
  readonly consumers?: readonly (LifePlace & { readonly edge: number; readonly to: number })[];
}

/** The life of a channel that is to be talked to from now on. */
export interface PlacedLife extends LifePlace {
  readonly step: number;
  readonly channel: number;
}

/** A consumer's link to another life of a producer. */
export interface LinkOrder {
  /** The consumer's life. */
  readonly consumer: number;
  readonly edge: number;
  readonly from: number;
  /** A life that makes older parcels again, up to and with `through`; the live one follows. */
  readonly replay?: LifePlace & { readonly through: number };
}

/** What an execution was before its steps got another number of channels. */
export interface EarlierChannels {
  /** The name that it was started with, by which user code knows it. */
  readonly startedAs: string;
  /** No channel of it did more tasks than this: user code sees the numbers of tasks go on from here. */
  readonly tasks: number;
}

/** How an execution ends for steps to get another number of channels, by the plan's indexes of steps. */
export interface Drain {
  /** Steps that pause: readers read nothing more, others take what is on its way to them. */
  readonly pausing: readonly number[];
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
  /** For actors, which choose places themselves: the slots that there are. */
  readonly places?: readonly SlotPlace[] | undefined;
  readonly seed: number;
  /** When it was started, milliseconds since 1970: the time that `open` of user code is told, in every life. */
  readonly openedAt: number;
  /** Freezes what operators are given, so that one that changes its input fails. */
  readonly strict: boolean;
  /** Which part of the tasks is run twice, to see whether they do the same; undefined for none. */
  readonly verifyReplay?: number | undefined;
  /** True if tasks are logged, so that what is lost can be made again. */
  readonly logged: boolean;
  /** True if it can be gone on with when it has failed or was stopped: what its sinks have prepared stays. */
  readonly resumable: boolean;
  readonly checkpoints: CheckpointPolicy;
  readonly earlier?: EarlierChannels | undefined;
  readonly drain?: Drain | undefined;
}

/** What the scheduler tells a slot. */
export type Order =
  | PrepareOrder
  | { readonly kind: "start"; readonly execution: string }
  /** Some lives are lost: nothing more is taken from them nor sent to them. The answer says where their links stand. */
  | { readonly kind: "survey"; readonly execution: string; readonly round: number; readonly lost: readonly number[] }
  /** Other lives take over: where those are that aren't their channel's first, and which are made here. */
  | {
      readonly kind: "recover";
      readonly execution: string;
      readonly round: number;
      readonly placed: readonly PlacedLife[];
      readonly channels: readonly ChannelOrder[];
      /** For actors, as in the order to prepare: slots that have joined since are among them. */
      readonly places?: readonly SlotPlace[] | undefined;
    }
  | {
      readonly kind: "connect";
      readonly execution: string;
      readonly round: number;
      readonly links: readonly LinkOrder[];
    }
  | { readonly kind: "commit"; readonly execution: string }
  | { readonly kind: "stop"; readonly execution: string; readonly reason: ErrorData }
  | { readonly kind: "release"; readonly execution: string }
  | { readonly kind: "release-dataset"; readonly execution: string; readonly dataset: string }
  | LineageOrder;

/** A channel's condition, as data. */
export interface ChannelReport {
  readonly step: number;
  readonly channel: number;
  readonly state: ChannelState;
  /** The task whose asynchronous code is waited for, -1 for `open`; absent where none is. */
  readonly task?: number;
  /** Absent while nothing was done. */
  readonly metrics?: ChannelMetrics;
  readonly waits?: {
    readonly inputs: readonly string[];
    readonly blocked: readonly string[];
    readonly edges: readonly number[];
  };
}

/** What the lives of a slot do that only make outputs again: no channel is judged by them. */
export interface ReplayReport {
  readonly lives: number;
  /** How many don't wait for anything. */
  readonly busy: number;
  /** Changes whenever one of them gets on. */
  readonly pulse: number;
}

/** Where a link of a lost life stands, at the end that survives. */
export interface LinkSurvey {
  /** The surviving life. */
  readonly life: number;
  readonly edge: number;
  readonly from: number;
  readonly to: number;
  /** At a consumer: seq of the last parcel that came. At a producer: what follows this seq can still be sent. */
  readonly seq: number;
}

/** What a slot tells the scheduler. */
export type Report =
  | { readonly kind: "prepared"; readonly execution: string; readonly slot: string }
  | {
      readonly kind: "surveyed";
      readonly execution: string;
      readonly slot: string;
      readonly round: number;
      readonly consumers: readonly LinkSurvey[];
      readonly producers: readonly LinkSurvey[];
    }
  | { readonly kind: "recovered"; readonly execution: string; readonly slot: string; readonly round: number }
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
      readonly replays: ReplayReport;
      readonly memoryBytes: number;
      /** Messages of or for lives that are over, which the execution has refused here so far. */
      readonly lateMessages: number;
      /** True while something is on its way to disk or from it, or from its machine to another that runs channels. */
      readonly onItsWay: boolean;
    }
  | { readonly kind: "committed"; readonly execution: string; readonly slot: string }
  | { readonly kind: "stopped"; readonly execution: string; readonly slot: string }
  /** A channel's life ended by an error. */
  | ({
      readonly kind: "channel-failed";
      readonly execution: string;
      readonly slot: string;
      readonly life: number;
      readonly error: ErrorData;
    } & FailedTask)
  | { readonly kind: "failed"; readonly execution: string; readonly slot: string; readonly error: ErrorData }
  /** Messages that the slot has dropped so far, of all executions: late ones, and parcels that came once more. No execution is named. */
  | {
      readonly kind: "dropped";
      readonly execution: "";
      readonly slot: string;
      readonly late: number;
      readonly repeated: number;
    }
  | LineageReport;

export interface DoneChannel {
  readonly step: number;
  readonly channel: number;
  readonly life: number;
  readonly metrics: ChannelMetrics;
  /** A sink's part of the result. */
  readonly part?: unknown;
}
