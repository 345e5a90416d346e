import type { OutputSink } from "../core/contracts/sink.ts";
import { orAborted } from "./aborting.ts";
import type { Graph } from "./graph.ts";

type SinkContext = Parameters<NonNullable<OutputSink<never, unknown>["prepare"]>>[0];

/** Lets every sink look at its target before anything runs. */
export async function prepareSinks(graph: Graph, context: SinkContext, signal: AbortSignal): Promise<void> {
  for (const step of graph.steps) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: two of them may have one target
    if (step.code.kind === "sink") await orAborted(step.code.sink.prepare?.(context), signal);
  }
}
