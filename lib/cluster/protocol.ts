import type { BundleReference, MachineOffer, MachinePlace } from "../../actors/cluster/protocol.ts";
import type { MachineCounts } from "../../actors/cluster/machine-counts.ts";
import type { ChannelMove, ExecutionEvent, ExecutionMetrics } from "../../actors/scheduler/execution-events.ts";
import type { EncodedArguments } from "../../actors/slot/arguments.ts";
import type { FromActorsClient, ToActorsClient } from "../../actors/slot/relayed-actors.ts";
import type { ErrorData } from "../core/errors.ts";
import type { Limits } from "../core/limits.ts";
import type { MachineFiles } from "../files/index.ts";
import type { Rescale } from "../flow/rescale-plan.ts";
import type { StepBytes } from "../placement/index.ts";
import type { EncodedOutputs } from "./outputs.ts";

/** Options of a run that mean something on a cluster. */
export interface ClusterRunOptions {
  readonly limits?: Partial<Limits> | undefined;
  readonly strict?: boolean | undefined;
  readonly verifyReplay?: boolean | { readonly share: number } | undefined;
  readonly exactlyOnce?: boolean | undefined;
  readonly attempts?: number | undefined;
  readonly checkpointEveryMs?: number | undefined;
  /** Keeps no lineage, instead of that in the cluster's store. */
  readonly store?: "none" | undefined;
}

/** A flow that somebody wants to be run. */
export interface Submission {
  /** URL of the flow's module where it was written, and the flow's name in it. */
  readonly module: string;
  readonly flow: string;
  readonly args: EncodedArguments;
  readonly options: ClusterRunOptions;
  /** SHA-256 of the bundle that has been uploaded. */
  readonly bundle: string;
  /** Of the flow's code, wherever it is; left out where nobody is going to compare it. */
  readonly codeHash?: string;
  /** Goes on when the client is gone. */
  readonly detach: boolean;
  /** It isn't begun: one that has ended before it was done is gone on with. */
  readonly resume?: ResumedSubmission | undefined;
}

/** How an execution is gone on with, whose client has seen that it is one of this flow. */
export interface ResumedSubmission {
  readonly execution: string;
  /** With other channels: then its driver says what it is called. */
  readonly rescale: Rescale | undefined;
}

/** An execution of a cluster, for people. */
export interface ListedExecution {
  readonly execution: string;
  readonly flow: string;
  /** `waiting`: as many run already as the head lets run at once. */
  readonly status: "waiting" | "running" | "done" | "failed" | "cancelled";
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  readonly metrics?: ExecutionMetrics | undefined;
  readonly error?: string | undefined;
}

/** A machine of a cluster, for people. */
export interface ListedMachine extends MachineOffer {
  /** Milliseconds since 1970. */
  readonly joinedAt: number;
  /** It is to go: nothing is placed on it any more. */
  readonly draining?: boolean | undefined;
  /** What it has refused, dropped and sent again since it joined under this name; undefined while it has nothing to tell. */
  readonly counts?: MachineCounts | undefined;
}

/** What a client asks of the head. */
export type FromClient =
  | { readonly kind: "submit"; readonly submission: Submission }
  /** What is kept of an execution that somebody wants to go on with. */
  | { readonly kind: "stored"; readonly execution: string }
  /** Wants to hear of an execution that runs already, and its outputs. */
  | { readonly kind: "follow"; readonly execution: string }
  | { readonly kind: "cancel"; readonly execution: string; readonly reason: string }
  /** A machine is to go: what it runs moves to others. Answered once it has. */
  | { readonly kind: "drain"; readonly machine: string }
  /** Channels are to move to slots that have less to do: of one execution, or of all. Answered once they are on their way. */
  | { readonly kind: "rebalance"; readonly execution: string | undefined }
  | { readonly kind: "list" }
  /** From a head: it leads, under that epoch. Not answered. */
  | { readonly kind: "deposed"; readonly leader: string; readonly epoch: number }
  /** Nobody needs these any more. Not answered. */
  | { readonly kind: "release-datasets"; readonly datasets: readonly string[] }
  /** What the client of a system of actors tells its driver. Not answered. */
  | { readonly kind: "actors"; readonly execution: string; readonly content: FromActorsClient }
  /** Somebody looks at a system of actors: asks who started it, in JSON. */
  | { readonly kind: "view"; readonly execution: string; readonly request: string }
  /** Who started it answers. Not answered. */
  | { readonly kind: "viewed"; readonly view: number; readonly answer?: string; readonly error?: ErrorData }
  /** Has the outputs of an execution: nobody need keep them for it. Not answered. */
  | { readonly kind: "taken"; readonly execution: string };

/** What the head tells a client. */
export type ToClient =
  | { readonly kind: "submitted"; readonly execution: string }
  | { readonly kind: "stored"; readonly description: Uint8Array }
  /** With other channels, an execution is called otherwise than the name by which head and client speak of it. */
  | { readonly kind: "named"; readonly execution: string; readonly name: string }
  | { readonly kind: "event"; readonly execution: string; readonly event: PlainEvent }
  | {
      readonly kind: "done";
      readonly execution: string;
      readonly outputs: EncodedOutputs;
      /** The head holds them until somebody says that it has taken them. */
      readonly held?: boolean;
    }
  | { readonly kind: "failed"; readonly execution: string; readonly error: ErrorData }
  /** What the driver of a system of actors tells its client. */
  | { readonly kind: "actors"; readonly execution: string; readonly content: ToActorsClient }
  /** To who started a system of actors, from somebody who looks at it. */
  | { readonly kind: "view"; readonly execution: string; readonly view: number; readonly request: string }
  | { readonly kind: "viewed"; readonly answer: string }
  | {
      readonly kind: "listed";
      readonly machines: readonly ListedMachine[];
      readonly executions: readonly ListedExecution[];
      /** Connections and requests that the head didn't let in, or hung up on for what they brought. */
      readonly refusedConnections: number;
    }
  | { readonly kind: "cancelling"; readonly execution: string }
  | { readonly kind: "drained"; readonly machine: string }
  | { readonly kind: "rebalanced"; readonly executions: readonly RebalancedExecution[] }
  /** First of all, from the head that leads. */
  | { readonly kind: "welcome"; readonly epoch: number }
  /** First and last of all, from one that waits: where the head listens that leads; empty where it doesn't know. */
  | { readonly kind: "elsewhere"; readonly leader: string }
  /** A request that was refused. */
  | { readonly kind: "refused"; readonly error: ErrorData };

/** Which channels of an execution go elsewhere, or why none can. */
export interface RebalancedExecution {
  readonly execution: string;
  readonly moves: readonly ChannelMove[];
  readonly error?: ErrorData;
}

/** An event as it travels: errors in it as data. */
export type PlainEvent =
  | Exclude<ExecutionEvent, { readonly error: Error }>
  | { readonly kind: "with-error"; readonly event: Record<string, unknown>; readonly error: ErrorData };

/** What a worker tells the head: what it offers at first, and whenever its slots change. */
export type FromWorker =
  | { readonly kind: "offer"; readonly offer: MachineOffer }
  /** What it has counted, where that has changed. */
  | { readonly kind: "counts"; readonly counts: MachineCounts }
  /** It turns away: it knows another head that led under this epoch, which is the same or a later one. */
  | { readonly kind: "later"; readonly epoch: number }
  /** It is to go: others are to take over what runs there. It leaves once it is told so. */
  | { readonly kind: "drain" };

/** What the head tells a worker. */
export type ToWorker =
  /**
   * First of all, from the head that leads, with its name, which no other life of it has. A worker that knows a later epoch, or this
   * one of another head, turns away.
   */
  | { readonly kind: "welcome"; readonly leaseMs: number; readonly epoch: number; readonly head: string }
  /** First and last of all, from one that waits. */
  | { readonly kind: "elsewhere"; readonly leader: string }
  /** Its offer is known: from now on it is in lists, and channels are placed there. */
  | { readonly kind: "listed" }
  /** The machine was given up meanwhile: others make again what it had. It may come back under another name. */
  | { readonly kind: "given-up" }
  /** Another machine was given up, and never comes back under its name. */
  | { readonly kind: "machine-gone"; readonly machine: string }
  /** Nobody needs these datasets any more. */
  | { readonly kind: "release-datasets"; readonly datasets: readonly string[] }
  /** It was drained: nothing needs it any more. */
  | { readonly kind: "leave" };

/** What a driver is started with. */
export interface DriverStart {
  readonly kind: "start";
  readonly execution: string;
  /** How many drivers the execution has had, with this one: machines refuse those before. */
  readonly driver: number;
  /** It is the first since the execution was submitted, or somebody wanted to go on with it. */
  readonly begins: boolean;
  /** Of the head that starts it. */
  readonly epoch: number;
  readonly submission: Submission;
  readonly bundle: BundleReference;
  readonly machines: readonly MachinePlace[];
  readonly store: string;
  readonly leaseMs: number;
  readonly host: string;
  /** The host at which machines find it, where that is another one. */
  readonly advertise?: string | undefined;
  /** What it reads and writes of the head's host. */
  readonly files?: MachineFiles | undefined;
  /** Channels move to slots with less to do without anybody asking for it. */
  readonly rebalances?: boolean | undefined;
  /** What the steps of the flow took and sent when it was last done. */
  readonly measured?: readonly (readonly [step: string, bytes: StepBytes])[] | undefined;
  readonly token: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string | undefined } | undefined;
}

/** What the head tells a driver. */
export type ToDriver =
  | DriverStart
  | { readonly kind: "machine"; readonly machine: MachinePlace }
  | { readonly kind: "machine-gone"; readonly machine: string; readonly why: string }
  | { readonly kind: "drain"; readonly machine: string }
  | { readonly kind: "rebalance" }
  /** It is kept that the execution begins: machines may hear of it. */
  | { readonly kind: "begin" }
  | { readonly kind: "actors"; readonly content: FromActorsClient }
  | { readonly kind: "cancel"; readonly reason: string };

/** What a driver tells the head. */
export type FromDriver =
  /** It keeps no lineage, and machines are about to hear of it: nobody can go on with it from then on. It waits for leave. */
  | { readonly kind: "begins" }
  /** What the execution that is gone on with is called, with the channels that it has. */
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "event"; readonly event: PlainEvent }
  | { readonly kind: "actors"; readonly content: ToActorsClient }
  /** Nothing of the execution is on the machine any more. */
  | { readonly kind: "drained"; readonly machine: string }
  | { readonly kind: "rebalanced"; readonly moves: readonly ChannelMove[]; readonly error?: ErrorData }
  | { readonly kind: "done"; readonly outputs: EncodedOutputs }
  | { readonly kind: "failed"; readonly error: ErrorData }
  /** It has lost all machines, and ends: they may all live, and another driver may hear of them. */
  | { readonly kind: "forsaken"; readonly error: ErrorData }
  /** All of a done execution is closed: another one can be driven. */
  | { readonly kind: "idle" };
