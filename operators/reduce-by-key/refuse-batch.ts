import { representationOf } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/** Refuses a columnar batch, which functions of objects would take for one object. */
export function refuseBatch(object: unknown): void {
  if (representationOf(object) === undefined) return;
  throw new QStreamError("UNSUPPORTED", "a reduction by key takes objects, not columnar batches", {
    advice: "Use aggregate, which takes both, or convert the stream to objects first.",
  });
}
