import { loadBatches } from "../lib/core/batch/index.ts";
import { decodeObjects } from "../lib/core/codec/index.ts";
import type { Context } from "../lib/core/contracts/context.ts";
import { run, type Reader, type Reading } from "../lib/core/contracts/reader.ts";
import type { Dataset, DatasetPart } from "../lib/core/dataset.ts";

/**
 * Reads a dataset where it is: a channel on each slot that keeps a part of it.
 *
 * @example
 * defineFlow(import.meta.url, (q, args: { flights: Dataset<Flight> }) => ({
 *   late: q.read("flights", dataset(args.flights)).filter("late", (flight) => flight.delay > 60).collect("result"),
 * }));
 */
export function dataset<T>(source: Dataset<T>): Reader<T, DatasetPart> {
  return {
    kind: "dataset",
    options: { id: source.id },
    splits: () => source.parts,
    locate: (part) => part.slot,
    sizeOf: (part) => part.bytes,
    read: (part, ctx) => readPart(source.id, part, ctx) as AsyncIterable<Reading<T>>,
  };
}

async function* readPart(id: string, part: DatasetPart, ctx: Context): AsyncGenerator<Reading<unknown>, void> {
  for (const payload of ctx.datasets.get(id, part.channel).payloads) {
    if (payload.format === "batch") yield (await loadBatches()).decode(payload);
    else yield run(decodeObjects(payload));
  }
}
