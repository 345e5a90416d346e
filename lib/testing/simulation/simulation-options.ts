import type { WholePolicy } from "../../../actors/channel/checkpoints.ts";
import type { LineageStore } from "../../core/contracts/lineage-store.ts";
import type { Limits } from "../../core/limits.ts";
import type { LiveOperators } from "./live-operators.ts";
import type { FaultKind, Phase } from "./faults.ts";
import type { Trace } from "./trace.ts";
import type { NetworkCounts } from "./virtual-network.ts";

export interface SimulationOptions {
  /** Everything that may vary follows from it. */
  readonly seed: number;
  /** Kinds of faults that strike; none unless told. */
  readonly faults?: readonly FaultKind[];
  /** Virtual milliseconds within which faults strike; afterwards all is healed. Default 50. */
  readonly faultsWithinMs?: number;
  /** Faults at most. Default 4. */
  readonly faultsMax?: number;
  /** Slots. Default 3. */
  readonly slots?: number;
  /** Machines that the slots are on. Default: each slot its own. */
  readonly machines?: number;
  /** Makes the store that lineage is kept in, in memory as ours is. With `none` what is lost can't be made again. */
  readonly store?: "none" | (() => LineageStore);
  /** Virtual milliseconds between two checkpoints of a channel. Default 20. */
  readonly checkpointEveryMs?: number;
  /**
   * When states are saved whole though operators say what has changed. Default: after two checkpoints with changes, or as
   * many bytes of changes as the whole one had; so that there are many of both kinds.
   */
  readonly wholeCheckpoints?: WholePolicy;
  /** How often a task may fail before its execution does, as the store counts: twice where it is asked twice. Default 3. */
  readonly attempts?: number;
  readonly limits?: Partial<Limits>;
  /** How many executions of the flow run at once, on the same slots. Default 1. */
  readonly atOnce?: number;
  /** Virtual milliseconds of work that a task is, at most. Default 0: only messages, disks and the store take time. */
  readonly taskMs?: number;
  /** Whoever goes on with an execution has another number of slots now and then, and gives it as many channels. Default false. */
  readonly rescales?: boolean;
  /** Channels move to slots with less to do without anybody asking for it. Default false. */
  readonly rebalances?: boolean;
  /** Freezes what operators are given. Default true. */
  readonly strict?: boolean;
  /** Runs a part of the tasks twice, to see whether they do the same. */
  readonly verifyReplay?: boolean | { readonly share: number };
  /** Virtual milliseconds for which a slot may be silent before it is given up. Default 1,000. */
  readonly leaseMs?: number;
  /** Virtual milliseconds within which the execution must end once all is healed. Default 60,000. */
  readonly finishWithinMs?: number;
  /** Lines of the trace that are kept. Default 20,000; 0 keeps its checksum only. */
  readonly traceLines?: number;
  /** Called before each task and behind each turn of a channel, with the operators as they are. What it throws ends the run. */
  readonly onTask?: (operators: LiveOperators) => void;
  /** Whether what the engine must keep is checked after every step. Default true. */
  readonly invariants?: boolean;
}

/** One simulated execution, or several at once. */
export interface SimulationReport<Outs> {
  readonly seed: number;
  /** Undefined where the execution failed. */
  readonly outputs: Outs | undefined;
  /** Of the other executions, where several run at once. */
  readonly others: readonly Outs[];
  readonly error: Error | undefined;
  /** Faults that struck. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** The same by the phase in which they struck. */
  readonly faultPhases: Readonly<Partial<Record<Phase | "starting", number>>>;
  /** How often the execution entered each phase. */
  readonly phases: Readonly<Partial<Record<Phase, number>>>;
  /** Channels that went elsewhere since the load wasn't even. */
  readonly moves: number;
  /** How often an execution got other channels. */
  readonly rescaled: number;
  /** Virtual milliseconds until the session was closed. */
  readonly virtualMs: number;
  readonly events: number;
  /** Tasks that channels ran, those that were run again included. */
  readonly tasks: number;
  readonly messages: Readonly<NetworkCounts>;
  /** What is left of the execution though it is over: files on drives, executions in the store, messages. */
  readonly leftBehind: readonly string[];
  /** What sinks wrote, by path. It is in memory: nothing is written in the real world. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly trace: Trace;
}
