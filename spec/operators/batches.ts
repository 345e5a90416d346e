import { type BatchSupport, loadBatches } from "../../lib/core/batch/index.ts";
import { cut, type DrivenTask } from "./drive.ts";

/** The representations that columnar specs go through. */
export const columnar = ["arrow", "polars"] as const;

/** Cuts rows into tasks of one columnar batch each. All batches have the types that all rows together have. */
export async function batchTasks(
  rows: readonly object[],
  sizes: readonly number[],
  representation: "arrow" | "polars",
): Promise<DrivenTask[]> {
  const support = await loadBatches();
  if (rows.length === 0) return [];
  const whole = support.fromObjects(rows as readonly Readonly<Record<string, unknown>>[], representation);
  let from = 0;
  return cut(rows, sizes).map(({ input, objects }) => {
    const batch = support.slice(whole, from, from + objects.length);
    from += objects.length;
    return { input, objects: [batch] };
  });
}

/** The rows of batches as plain objects. */
export async function rowsOf(batches: readonly unknown[]): Promise<Record<string, unknown>[]> {
  const support: BatchSupport = await loadBatches();
  return batches.flatMap((batch) => support.toObjects(batch));
}
