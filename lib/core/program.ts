import type { DefinedActor } from "./actor-definition.ts";
import type { Context } from "./contracts/context.ts";
import type { LoopPlan } from "./contracts/loop.ts";
import type { Operator } from "./contracts/operator.ts";
import type { PartitionFunction } from "./contracts/partition.ts";
import type { Reader } from "./contracts/reader.ts";
import type { OutputSink } from "./contracts/sink.ts";

/** What functions on an edge may ask of the engine: time and randomness that replay repeats. */
export type EdgeContext = Pick<Context, "now" | "random" | "step" | "channel" | "channels" | "seq" | "count">;

/** A loop over the objects of one parcel. */
export interface EdgeLoop {
  (objects: readonly unknown[], ctx: EdgeContext): readonly unknown[];
  /** What makes one object of each, if that is all that the loop does: a router may then make them while it deals them. */
  readonly each?: (object: never, ctx: EdgeContext) => unknown;
}

/**
 * A stateless function that rides on an edge. It takes the objects of one parcel at a time. Functions are linked to the one
 * before them, so that edges which share a prefix compute it once.
 */
export interface EdgeFunction {
  readonly id: string;
  readonly kind: string;
  readonly previous: EdgeFunction | undefined;
  readonly apply: EdgeLoop;
}

export type StepCode =
  | { readonly kind: "reader"; readonly reader: Reader<unknown> }
  // oxlint-disable-next-line typescript/no-explicit-any -- the inputs of an operator are known to its builder only
  | { readonly kind: "operator"; readonly create: () => Operator<any, unknown>; readonly loop?: LoopPlan }
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  | { readonly kind: "sink"; readonly sink: OutputSink<any, unknown> }
  | ActorsCode;

/** A step whose channels are hosts of actors, or the place of who started a system of actors. */
export interface ActorsCode {
  readonly kind: "actors";
  /** By the names that their module gives them. */
  readonly definitions: ReadonlyMap<string, DefinedActor>;
  /** The store that keeps those that are durable. */
  readonly journal?: string | undefined;
  /** Where who started the system is in this thread: gets the node, and hears of what happens in others. */
  readonly client?: { readonly opened: (node: unknown) => void; readonly event: (event: unknown) => void } | undefined;
}

export interface EdgeCode {
  /** Last function before the partition function; it links to the ones before it. */
  readonly before: EdgeFunction | undefined;
  readonly partition: PartitionFunction<never>;
  /** Functions after the partition function, first one first; they run in the consumer. */
  readonly after: readonly EdgeFunction[];
}

/** The code of a flow as a slot built it: by the plan's indexes. */
export interface Program {
  readonly fingerprint: string;
  readonly steps: readonly StepCode[];
  readonly edges: readonly EdgeCode[];
}
