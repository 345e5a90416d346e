import { loadBatches, loadedBatches, representationOf } from "../../lib/core/batch/index.ts";

/** Plain objects as they are, and the rows of batches; a promise only where batches aren't supported yet. */
export function rowsIn(objects: readonly unknown[]): readonly unknown[] | Promise<readonly unknown[]> {
  if (objects.length === 0 || representationOf(objects[0]) === undefined) return objects;
  const batches = loadedBatches();
  if (batches === undefined) return loadBatches().then(() => rowsIn(objects));
  return objects.flatMap((batch): unknown[] => batches.toObjects(batch));
}
