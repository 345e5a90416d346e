import type { Context } from "./context.ts";

/** A piece of a reader's data: small plain data. Reading it again gives the same objects. */
export type Split = unknown;

/** Objects handed over together. Yield a run instead of single objects where speed matters; the array is not copied. */
export class Run<out T> {
  readonly objects: readonly T[];
  /** The place behind the last of these objects, from which `read` can go on; undefined where a reader has none. */
  readonly mark: unknown;
  constructor(objects: readonly T[], mark?: unknown) {
    this.objects = objects;
    this.mark = mark;
  }
}

/**
 * Marks an array as a run of objects, so that a reader of arrays and a reader of runs can't be confused.
 *
 * @param mark - small plain data that names the place in the split behind these objects. A reader whose runs have marks
 * goes on from one, when `read` is given it: then a restart needn't read the split from its start
 */
export function run<T>(objects: readonly T[], mark?: unknown): Run<T> {
  return new Run(objects, mark);
}

/** An object for one of the reader's side outputs (a bad row, say) instead of its main output. */
export class Side<out T> {
  readonly name: string;
  readonly object: T;
  constructor(name: string, object: T) {
    this.name = name;
    this.object = object;
  }
}

/** What a reader's `read` yields. */
export type Reading<T> = T | Run<T> | Side<unknown>;

/** Where reading a split goes on, instead of beginning at its start. */
export interface ReadFrom {
  /** The mark of a run that an earlier reading of the same split yielded: what follows that run is wanted. */
  readonly after: unknown;
}

/** What `splits` gets to know. */
export interface SplitRequest {
  /** Channels the reader will run on; a reader may give more splits, which are dealt round robin, or fewer. */
  readonly channels: number;
  readonly files: import("./file-system.ts").FileSystem;
  readonly signal: AbortSignal;
}

/**
 * The contract of an input reader: which splits there are, and how one is read. Readers are made when a flow is built, in
 * every slot, so making one must be cheap and pure: files are looked at in `splits` and `read` only.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a split goes from splits to read only; its type is the reader's own
export interface Reader<out T, S = any> {
  /** Short kind for explain: "csv", "range". */
  readonly kind: string;
  /** Structured-cloneable description, part of the flow's fingerprint: paths, options. */
  readonly options?: unknown;
  /** False for a source that can't be read again (a socket, standard input). Default true. */
  readonly replayable?: boolean;
  /** True for a source that may never end. Default false. */
  readonly endless?: boolean;
  /** Default number of channels when the user sets none: "per-slot" (default), 1, or 1 in the thread that runs the flow. */
  readonly parallelism?: "per-slot" | "single" | "client";
  /** Bytes of the whole input where known, for progress, after `splits` ran. */
  readonly sizeOf?: (split: S) => number;
  splits: (request: SplitRequest) => readonly S[] | Promise<readonly S[]>;
  /**
   * Reads a split. `from` is given only if this reader's runs have marks; without it, reading begins at the split's start.
   * After a mark come the same objects as came after it the first time.
   */
  read: (split: S, ctx: Context, from?: ReadFrom) => Iterable<Reading<T>> | AsyncIterable<Reading<T>>;
  /** For readers of datasets: the slot that holds each split, so that channels are placed with the data. */
  readonly locate?: (split: S) => string;
  /** Where replicas of a split are, so that `nearFiles()` can place the channel that reads it there. */
  readonly replicas?: (split: S) => Replicas;
}

/** Where replicas of a split are, as far as its reader knows. */
export interface Replicas {
  /** Path or URL of its file: machines that were started with `--has FOLDER` have what is below that folder. */
  readonly file?: string;
  /** Tags of machines that have a replica. */
  readonly tags?: readonly string[];
}

/** A reader with side outputs; `sides` names them, because the graph needs the names. */
// oxlint-disable-next-line typescript/no-explicit-any -- see Reader
export interface SidedReader<out T, out Sides extends Record<string, unknown>, S = any> extends Reader<T, S> {
  readonly sides: { readonly [K in keyof Sides]: K };
  /** Never present: carries the types of the side outputs. */
  readonly sideTypes?: Sides;
}
