import type { FileSystem } from "../core/contracts/file-system.ts";
import type { OutputSink } from "../core/contracts/sink.ts";
import { orAborted } from "./aborting.ts";
import type { Graph } from "./graph.ts";

type SinkContext = Parameters<NonNullable<OutputSink<never, unknown>["prepare"]>>[0];

/** Where a sink keeps hidden files until an execution is done: its step, and a folder or URL. */
export type SinkFolder = readonly [step: string, folder: string];

const fileSinks: readonly string[] = ["lines", "csv", "json-lines", "parquet", "arrow"];

/** True for the sinks of ours that write files. */
export function writesFiles(kind: string): boolean {
  return fileSinks.includes(kind);
}

/** Lets every sink look at its target before anything runs. */
export async function prepareSinks(graph: Graph, context: SinkContext, signal: AbortSignal): Promise<void> {
  for (const step of graph.steps) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: two of them may have one target
    if (step.code.kind === "sink") await orAborted(step.code.sink.prepare?.(context), signal);
  }
}

/** The folders of file sinks, as another process finds them whatever its working directory is. */
export function sinkFolders(graph: Graph, files: FileSystem): SinkFolder[] {
  return graph.steps.flatMap(({ id, code }): SinkFolder[] => {
    if (code.kind !== "sink" || !writesFiles(code.sink.kind)) return [];
    const { path } = code.sink.options as { readonly path?: unknown };
    return typeof path === "string" ? [[id, files.localPath(path) ?? path]] : [];
  });
}
