import type { WholePolicy } from "../../actors/channel/checkpoints.ts";
import type { ActorHost } from "../../actors/hosts/actor-host.ts";
import type { EncodedArguments } from "../../actors/slot/arguments.ts";
import type { FromActorsClient, ToActorsClient } from "../../actors/slot/relayed-actors.ts";
import type { FileSystem } from "../core/contracts/file-system.ts";
import type { LineageStore } from "../core/contracts/lineage-store.ts";
import type { FlowReference } from "../core/flow-registry.ts";
import type { Clock } from "../core/seam/clock.ts";
import type { StepBytes } from "../placement/index.ts";
import type { Execution } from "./execution.ts";
import type { Graph } from "./graph.ts";
import type { Rescale } from "./rescale-plan.ts";
import type { RunOptions } from "./run.ts";
import type { StoredFlow } from "./stored-flow.ts";

/** The client's end of the way to the driver of a system of actors. */
export interface ActorsClientEnd {
  readonly told: (content: ToActorsClient) => void;
  readonly broken: (error: Error) => void;
  /** Answers who looks at the system, where it lets anybody. */
  readonly view?: ((request: unknown) => Promise<unknown>) | undefined;
}

/** What a session needs to start an execution. */
export interface SessionStart {
  /** Id of the execution, where somebody has given it one. */
  readonly id?: string | undefined;
  /** An execution that is gone on with. */
  readonly resumed?: {
    readonly execution: string;
    readonly stored: StoredFlow;
    /** Numbers that lives of earlier processes may have had, which slots of this one may still hear of. */
    readonly firstLife?: number | undefined;
    /** Somebody asked for it, and not a head whose driver was lost: tasks that had failed have all their attempts again. */
    readonly byHand?: boolean | undefined;
  };
  /** Gives steps of the execution that is gone on with another number of channels. */
  readonly rescale?: Rescale | undefined;
  /** What the steps of the flow took and sent when it ran before, by step id. */
  readonly measured?: ReadonlyMap<string, StepBytes> | undefined;
  readonly reference: FlowReference;
  readonly args: EncodedArguments;
  readonly options: RunOptions;
  readonly graph: Graph;
  /** For a system of actors whose client is in another process than the session's scheduler: takes what is relayed. */
  readonly relayed?: ((tell: (content: FromActorsClient) => void) => ActorsClientEnd) | undefined;
  readonly outputs: Readonly<Record<string, string>>;
}

/** What flows can be run on: `local()` makes one of this machine, `cluster()` one of many. */
export interface FlowSession extends AsyncDisposable {
  /** @internal */
  readonly start: (start: SessionStart) => Promise<Execution<Record<string, unknown>>>;
  /** @internal Where durable actors that are started on it are kept, where it can say. */
  readonly journalStore?: string | undefined;
  /** @internal */
  readonly findStored: (execution: string) => Promise<StoredFlow>;
  readonly close: () => Promise<void>;
}

/** Parts of the world that a session may be given instead of the real ones. */
export interface SessionWorld {
  readonly store?: LineageStore | undefined;
  readonly clock?: Clock;
  readonly host?: ActorHost;
  readonly files?: FileSystem;
  /** The code of all flows that run on it, where they come as a bundle: the URL to import, and its hash. */
  readonly code?: { readonly load: string; readonly hash: string } | undefined;
  /** Channels move to slots with less to do without anybody asking for it. */
  readonly rebalances?: boolean | undefined;
  /** When states are saved whole though operators say what has changed. */
  readonly wholeCheckpoints?: WholePolicy | undefined;
}
