import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { type BatchSupport, loadPolars, representationOf } from "../../lib/core/batch/index.ts";
import { QStreamError } from "../../lib/core/errors.ts";

/**
 * One batch with the rows of several. Where they are of both libraries, or have different columns (a join's channel may not
 * have seen one side's), it is a Polars frame with all columns, and what a batch doesn't have is null.
 * @throws QStreamError BAD_INPUT where a column has types that don't go together
 */
export function oneBatch(batches: readonly unknown[], support: BatchSupport): unknown {
  const kinds = new Set(batches.map((batch) => `${representationOf(batch)} ${columnsOf(batch).join("\u0000")}`));
  if (kinds.size <= 1) return support.concat(batches);
  const frames = batches.map((batch) => support.toPolars(batch));
  try {
    return loadPolars().concat(frames, { how: "diagonalRelaxed" } as never);
  } catch (error) {
    throw new QStreamError("BAD_INPUT", "batches with columns of different types can't become one", {
      advice: "Select and convert the columns so that all batches of the stream have the same.",
      cause: error,
    });
  }
}

function columnsOf(batch: unknown): readonly string[] {
  if (representationOf(batch) === "polars") return (batch as DataFrame).columns;
  return (batch as Table).schema.fields.map((field) => field.name);
}
