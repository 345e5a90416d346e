import { type BatchSupport, loadedBatches } from "../../../lib/core/batch/index.ts";
import { invariant } from "../../../lib/core/errors.ts";

/** The support for batches, which the engine has loaded before the first of them came. */
export function support(): BatchSupport {
  const loaded = loadedBatches();
  invariant(loaded !== undefined, "batches are supported before one arrives");
  return loaded;
}
