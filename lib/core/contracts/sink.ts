import type { Context } from "./context.ts";

/** How a sink behaves when a task is repeated after a failure. */
export type Guarantee = "idempotent" | "transactional" | "at-least-once";

/** One channel of a sink while it runs. */
export interface SinkChannel<in T> {
  /** Takes objects. A promise holds the channel back, which holds its producers back. */
  write: (objects: readonly T[], ctx: Context) => void | Promise<void>;
  /** All inputs have ended: makes everything ready to commit, and returns this channel's part of the result (plain data). */
  done?: (ctx: Context) => unknown;
  /** Makes the prepared output visible. Called once every channel of every sink of the execution is done. */
  commit?: () => void | Promise<void>;
  /** The execution failed or was cancelled: removes what was prepared. */
  abort?: () => void | Promise<void>;
}

/** The contract of an output sink. */
export interface OutputSink<in T, out Result> {
  /** Short kind for explain: "collect", "parquet". */
  readonly kind: string;
  /** Structured-cloneable description, part of the flow's fingerprint. */
  readonly options?: unknown;
  readonly guarantee: Guarantee;
  /** Where channels run when the user sets nothing: with the client, on one slot, or one a slot. */
  readonly placement: "client" | "single" | "per-slot" | "with-producer";
  /** Called on the client before any channel opens: refuses a target that is taken, makes folders. */
  prepare?: (ctx: {
    readonly files: import("./file-system.ts").FileSystem;
    readonly execution: string;
  }) => void | Promise<void>;
  open: (ctx: Context) => SinkChannel<T> | Promise<SinkChannel<T>>;
  /** Called on the client: makes the result of `run` from the parts of all channels, in channel order. */
  result: (parts: readonly unknown[]) => Result | Promise<Result>;
}
