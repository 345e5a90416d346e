import type { Dataset } from "../core/dataset.ts";
import { collect, type CollectAs } from "../../operators/sinks/collect.ts";
import { dataset } from "../../readers/dataset.ts";
import { defineFlow } from "./define-flow.ts";
import type { FlowSession } from "./session-contract.ts";

/** The flow by which a session reads a dataset back to its client. */
const readBackFlow = defineFlow(
  import.meta.url,
  (q, args: { readonly data: Dataset<unknown>; readonly as: CollectAs }) => ({
    rows: q.read("dataset", dataset(args.data)).to(collect<unknown, CollectAs>({ as: args.as, bytesMax: Infinity })),
  }),
);

/** Reads a dataset's parts to the client: as objects, or as one table or frame. */
export async function readBack(data: Dataset<unknown>, as: CollectAs, session: FlowSession): Promise<unknown> {
  return (await readBackFlow.run({ data, as }, { on: session })).rows;
}
