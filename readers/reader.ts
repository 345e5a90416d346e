import type { Context } from "../lib/core/contracts/context.ts";
import type { Reader, ReadFrom, Reading, Replicas, SplitRequest } from "../lib/core/contracts/reader.ts";

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
  /**
   * Reads one split: yields objects, or runs of them. Reading a split again must give the same objects.
   *
   * A recovered channel reads its split from the start and passes over what it had handed over. A split that is long to read
   * is better gone on with: yield `run(objects, mark)`, with small plain data that names the place behind these objects, and
   * start behind `from.after` where `from` is given. It is one of the marks of this split; after it come the same objects as
   * came after it the first time.
   */
  readonly read: (split: NoInfer<S>, ctx: Context, from?: ReadFrom) => Iterable<Reading<T>> | AsyncIterable<Reading<T>>;
  /** Bytes or objects of a split, for progress. */
  readonly sizeOf?: (split: NoInfer<S>) => number;
  /** Where replicas of a split are: the path of its file, or tags of machines that have it; for `nearFiles()`. */
  readonly replicas?: (split: NoInfer<S>) => Replicas;
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
 * const pagesOf = reader({
 *   splits: () => [{ book: "moby-dick" }],
 *   async *read({ book }, ctx, from) {
 *     for (let page = from === undefined ? 0 : Number(from.after) + 1; page < 10_000; page++) {
 *       yield run(await fetchPage(book, page, ctx.signal), page);
 *     }
 *   },
 * });
 */
export function reader<T, S>(definition: ReaderDefinition<T, S>): Reader<T, S> {
  const { kind = "custom", ...rest } = definition;
  return { kind, ...rest };
}
