import type { ChannelLog, Consumed, LineageLog } from "../../lib/core/contracts/lineage.ts";
import type { Limits } from "../../lib/core/limits.ts";
import type { EdgeFunction } from "../../lib/core/program.ts";
import type { Clock } from "../../lib/core/seam/clock.ts";
import type { ChannelContext } from "./channel-context.ts";
import type { ChannelMetrics } from "./channel-metrics.ts";
import type { CheckpointPolicy } from "./checkpoints.ts";
import type { Inputs } from "./inputs.ts";
import type { Outputs } from "./outputs.ts";
import type { Recovery } from "./replay.ts";
import type { ReaderWork } from "./reader-work.ts";
import type { Tasks } from "./tasks.ts";
import type { Work } from "./work.ts";

/** One input of a channel as its tasks see it. */
export interface ChannelInput {
  readonly name: string;
  readonly edge: number;
  /** Functions that ride behind the partition function, first one first. */
  readonly after: readonly EdgeFunction[];
}

export interface ChannelParts {
  readonly step: number;
  readonly ctx: ChannelContext;
  readonly work: Work | ReaderWork;
  readonly inputs: Inputs;
  readonly inputEdges: readonly ChannelInput[];
  readonly outputs: Outputs;
  readonly limits: Limits;
  readonly strict: boolean;
  readonly clock: Clock;
  readonly lineage: LineageLog;
  /** Under which name the lineage knows this life. */
  readonly log: ChannelLog;
  readonly checkpoints: CheckpointPolicy;
  /** For a life that follows one that was lost. */
  readonly recovery: Recovery | undefined;
  /** True for a channel that pauses once it has taken what is on its way to it: its step gets another number of channels. */
  readonly drains?: boolean | undefined;
  readonly metrics: ChannelMetrics;
  readonly events: ChannelEvents;
  /** Makes what runs the tasks, where it isn't the usual. */
  readonly tasks?: ((parts: ChannelParts, settled: () => void) => Tasks) | undefined;
  /** Where tasks that begin are noted, for whoever watches that they end. */
  readonly notes?: TaskNotes | undefined;
}

/** What the tasks of a channel need of it. */
export interface TaskParts extends Omit<ChannelParts, "inputs" | "lineage"> {
  readonly inputs: Pick<Inputs, "release" | "ended" | "nextRound">;
  readonly lineage: Pick<LineageLog, "keeps" | "append">;
}

/** What a channel is at, as its slot notes it. */
export interface TaskNotes {
  /** A task begins. */
  task: (seq: number) => void;
  /** It has taken these parcels. */
  took: (consumed: readonly Consumed[]) => void;
}

/** The task that a channel failed in. */
export interface FailedTask {
  readonly seq: number;
  /** True if user code threw: running the task again may help. */
  readonly byUser: boolean;
  /** The parcels that it had taken. */
  readonly consumed: readonly Consumed[];
  /** How many objects these have; undefined where nobody could say. */
  readonly objects?: number;
}

/** What a channel tells its slot. */
export interface ChannelEvents {
  /** Something to do turned up: the channel wants a turn. */
  readonly wake: () => void;
  /** All is sent and committed. `part` is a sink's part of the result. */
  readonly done: (part: unknown) => void;
  readonly failed: (error: Error, task: FailedTask) => void;
  /** A life that only made outputs again has made all that are wanted. */
  readonly replayed: () => void;
  /** The producers of this input may stop. */
  readonly cancelInput: (input: number) => void;
}

/** Names of the inputs and indexes of the edges that a channel waits for. */
export interface ChannelWait {
  readonly inputs: readonly string[];
  readonly blocked: readonly string[];
  readonly edges: readonly number[];
}

/** What a channel waits for, for the scheduler to tell a stuck execution from a slow one. */
export type ChannelState =
  | "starting"
  | "recovering"
  | "running"
  | "waiting-input"
  /** It waits for its inputs, and for a timer that its operator has set. */
  | "waiting-timer"
  | "waiting-credit"
  /** Its records are on their way to the store, and what consumers get with them. */
  | "waiting-store"
  | "done"
  | "stopped";

/** True if only what another channel sends gets a channel in this state on. */
export function waitsForOthers(state: ChannelState): boolean {
  return state === "waiting-credit" || state === "waiting-input";
}
