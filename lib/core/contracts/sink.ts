import type { Context } from "./context.ts";
import type { FileSystem, FileWriter } from "./file-system.ts";

/** How a sink behaves when a task is repeated after a failure. */
export type Guarantee = "idempotent" | "transactional" | "at-least-once";

/**
 * One channel of a sink while it runs.
 *
 * A channel that is lost with its slot gets a new life, on another slot or in another process: `open` makes a channel anew,
 * `restore` takes the newest checkpoint's state, and exactly the logged tasks after it are written again, with the same
 * objects in the same batches and the same `ctx.seq`; then `done` is called. Without `snapshot` and `restore` all tasks are
 * written again. At most one life is heard, but an earlier one that was only paused may hold files open a while longer.
 *
 * @example
 * open: () => {
 *   let sum = 0;
 *   return {
 *     write: (objects) => void (sum += objects.length),
 *     done: () => sum,
 *     snapshot: () => sum,
 *     restore: (state: number) => void (sum = state),
 *   };
 * }
 */
export interface SinkChannel<in T> {
  /** Takes objects. A promise holds the channel back, which holds its producers back. */
  write: (objects: readonly T[], ctx: Context) => void | Promise<void>;
  /**
   * The log has a task: from now on, whoever follows a lost life is given it with the same objects and the same `ctx.seq`, while
   * before another task could have come in its place. Called for each task in their order, without a store too, when
   * later tasks may have been written. After a change of channels, a sink without `snapshot` first hears of the tasks of earlier
   * channels, one channel after the other. What it throws, or its promise rejects with, is a failure of this task; the promise isn't waited for.
   */
  committed?: (seq: number) => void | Promise<void>;
  /** All inputs have ended: makes everything ready to commit, and returns this channel's part of the result (plain data). */
  done?: (ctx: Context) => unknown;
  /**
   * Makes the prepared output visible. Called once every channel of every sink of the execution is done. It may be called
   * again, also on a new life of a channel that had committed, or half committed, before: that changes nothing.
   */
  commit?: () => void | Promise<void>;
  /**
   * The execution failed or was cancelled: removes what was prepared, by all lives of this channel. Never called because a
   * slot is lost: then nobody calls anything, and a later life finds what the lost one has left.
   */
  abort?: () => void | Promise<void>;
  /**
   * This life of the channel ends, and a later one may go on from a saved state: closes what it holds, such as files and connections,
   * and removes nothing. Called instead of `abort` where the sink has `snapshot` and the execution can be gone on with.
   */
  leave?: () => void | Promise<void>;
  /**
   * The state between two tasks, small and structured-cloneable. What it refers to (files, rows elsewhere) is durable before
   * it is returned. Has no effect without `restore`.
   */
  snapshot?: () => unknown;
  /**
   * Takes a state that `snapshot` gave, after `open` and before the first `write`.
   * Throws NOT_RECOVERABLE where what the state refers to isn't there any more.
   */
  restore?: (state: never) => void | Promise<void>;
}

/** What a sink may ask before an execution starts. */
export interface PrepareContext {
  readonly files: FileSystem;
  readonly execution: string;
  /**
   * True if the execution was begun by another process and goes on: what it has prepared, or committed in part, is in the
   * target already. Default false.
   */
  readonly resuming?: boolean;
}

/** The contract of an output sink. */
export interface OutputSink<in T, out Result> {
  /** Short kind for explain: "collect", "parquet". */
  readonly kind: string;
  /** Structured-cloneable description, part of the flow's fingerprint. */
  readonly options?: unknown;
  readonly guarantee: Guarantee;
  /** True if what it gives holds the whole stream, which it keeps without `snapshot`. Refused behind an endless stream. */
  readonly gathers?: boolean;
  /** Where channels run when the user sets nothing: with the client, on one slot, or one a slot. */
  readonly placement: "client" | "single" | "per-slot" | "with-producer";
  /** Called on the client before any channel opens: refuses a target that is taken, makes folders. */
  prepare?: (ctx: PrepareContext) => void | Promise<void>;
  open: (ctx: Context) => SinkChannel<T> | Promise<SinkChannel<T>>;
  /**
   * Called on the client once all channels have committed: makes the result of `run` from the parts of all channels, in
   * channel order, and removes what only a later life of a channel would have needed.
   */
  result: (parts: readonly unknown[]) => Result | Promise<Result>;
}

/** A file being written that outlives its writer. */
export interface ResumableWriter extends FileWriter {
  /**
   * Makes everything that was written so far durable, and returns what a later life goes on from: small plain data. Of a
   * finished file, also of one that was committed since, it is what a later life can commit.
   */
  snapshot: () => Promise<unknown>;
  /** Writes no more, and leaves what was written to whoever goes on from a snapshot. */
  leave: () => Promise<void>;
}

/** A file's path, whose it is, and where to go on. */
export interface ResumableOptions {
  /** Who writes, the same in all lives: letters, digits, `_`, `-`, `=` and dots. Part of the temporary names. */
  readonly owner: string;
  /** What `snapshot` gave in an earlier life; none for a new file. */
  readonly from?: unknown;
}

/**
 * What a `FileSystem` may have besides: files that a later life of their writer goes on with. File sinks are recovered from
 * checkpoints where the file system has it, and by replay alone where it hasn't.
 */
export interface ResumableFiles {
  /**
   * Creates a file under a hidden temporary name that starts with `.<owner>.`, or goes on with one. No life writes to the file
   * of an earlier one: what that had written up to the snapshot is taken over, and what it writes later changes nothing.
   *
   * @throws QStreamError NOT_RECOVERABLE where what `from` refers to is neither there under its temporary name nor committed
   */
  createResumable: (path: string, options: ResumableOptions) => Promise<ResumableWriter>;
  /** Removes what all lives of an owner left in a folder under hidden names that start with `.<owner>.`. */
  discardResumable: (folder: string, owner: string) => Promise<void>;
}
