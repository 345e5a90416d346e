import { QStreamError } from "../lib/core/errors.ts";

/** The names among `columns` that a frame doesn't have are an error, which names the first. */
export function requireColumns(
  frame: { readonly columns: readonly string[] },
  columns: readonly string[],
  kind: string,
): void {
  const missing = columns.find((column) => !frame.columns.includes(column));
  if (missing === undefined) return;
  throw new QStreamError("BAD_INPUT", `${kind} was given a column that a batch doesn't have`, {
    column: missing,
    advice: `The batch has ${frame.columns.map((column) => `"${column}"`).join(", ")}.`,
  });
}
