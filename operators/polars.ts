import { createRequire } from "node:module";
import type PolarsModule from "nodejs-polars";
import { QStreamError } from "../lib/core/errors.ts";

export type Polars = typeof PolarsModule;

let loaded: Polars | undefined;

/** Loads nodejs-polars at its first use; the support for batches, which is loaded before, refused already where it's missing. */
export function polars(): Polars {
  loaded ??= createRequire(import.meta.url)("nodejs-polars") as Polars;
  return loaded;
}

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
