import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, Reading, SplitRequest } from "../lib/core/contracts/reader.ts";

/** A reader as functions: what `reader` takes. The type of a split flows from `splits` to the other functions. */
export interface ReaderDefinition<T, S> {
  /** Short kind for explain. Default "custom". */
  readonly kind?: string;
  /** Structured-cloneable description, part of the flow's fingerprint: paths, options. */
  readonly options?: unknown;
  /** False for a source that can't be read again. Default true. */
  readonly replayable?: boolean;
  /** True for a source that may never end. Default false. */
  readonly endless?: boolean;
  /** Default number of channels: one a slot (default) or one. */
  readonly parallelism?: "per-slot" | "single";
  /** Which splits there are: small plain data each. Called once an execution, before channels start. */
  readonly splits: (request: SplitRequest) => readonly S[] | Promise<readonly S[]>;
  /** Reads one split: yields objects, or runs of them. Reading a split again must give the same objects. */
  readonly read: (split: NoInfer<S>, ctx: Context) => Iterable<Reading<T>> | AsyncIterable<Reading<T>>;
  /** Bytes or objects of a split, for progress. */
  readonly sizeOf?: (split: NoInfer<S>) => number;
}

/**
 * Makes an input reader of functions: `splits` says which pieces of data there are, `read` reads one. Channels read splits
 * in parallel. A class that implements `Reader` does the same; use that for readers with side outputs.
 *
 * @param definition - `splits`, `read` and what the plan should know
 * @example
 * const pages = reader({
 *   splits: () => [{ page: 1 }, { page: 2 }],
 *   async *read({ page }, ctx) {
 *     const file = await ctx.files.open(`https://example.org/${page}.txt`);
 *     yield new TextDecoder().decode(await file.read(0, file.entry.bytes));
 *     await file.close();
 *   },
 * });
 */
export function reader<T, S>(definition: ReaderDefinition<T, S>): Reader<T, S> {
  const { kind = "custom", ...rest } = definition;
  return { kind, ...rest };
}
