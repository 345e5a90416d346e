import { locate } from "../../actors/channel/failure.ts";
import { Dataset, type DatasetKeeper } from "../core/dataset.ts";
import type { OutputSink } from "../core/contracts/sink.ts";
import type { Graph } from "./graph.ts";

/** What the sinks of a flow make of their channels' parts, by the names of the outputs. */
export async function resultsOf(
  graph: Graph,
  outputs: Readonly<Record<string, string>>,
  parts: ReadonlyMap<string, readonly unknown[]>,
  datasets: DatasetKeeper,
): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const [name, id] of Object.entries(outputs)) {
    const code = graph.steps.find((step) => step.id === id)?.code;
    if (code?.kind !== "sink") continue;
    // oxlint-disable-next-line no-await-in-loop -- one that fails names its own step
    const result = await resultOf(code.sink, id, parts.get(id) ?? []);
    results[name] = result instanceof Dataset ? new Dataset(result, datasets) : result;
  }
  return results;
}

async function resultOf(sink: OutputSink<never, unknown>, step: string, parts: readonly unknown[]): Promise<unknown> {
  try {
    return await sink.result(parts);
  } catch (error) {
    throw locate(error, { step });
  }
}
