import type { DatasetShelf } from "../dataset-shelf.ts";
import type { FileSystem } from "./file-system.ts";
import type { Disk } from "../seam/disk.ts";

/** What a channel knows of itself and may ask of the engine. */
export interface Context {
  readonly execution: string;
  readonly step: string;
  /** Index of this channel within its step, from 0. */
  readonly channel: number;
  /** How many channels the step has. */
  readonly channels: number;
  /** Number of the task that runs now, from 0. */
  readonly seq: number;
  /** Milliseconds since 1970, the same for the whole task or split and on replay; in `open`, when the execution was started. */
  now(): number;
  /**
   * A number in [0, 1), the same on replay: drawn from a generator seeded by step, channel and seq; in a reader, by the split and
   * the last mark.
   */
  random(): number;
  /** Aborted when the execution stops early; pass it to what waits. */
  readonly signal: AbortSignal;
  /** Declares this channel done after the current task: its inputs are cancelled and `done` is not called. */
  stop(): void;
  /** Adds to a counter that metrics show under this name. */
  count(name: string, amount?: number): void;
  /** Bytes of state this channel should keep in memory before it spills. */
  readonly memoryBytes: number;
  /** Files by path or URL: local, http(s), s3. */
  readonly files: FileSystem;
  /** Temporary files of this channel; removed when the channel ends. */
  readonly spill: Disk;
  /** @internal Datasets kept in this slot: what reads and writes them is built in. */
  readonly datasets: DatasetShelf;
}

/** The timers of an operator's channel, by name. They are part of its state: saved, restored and replayed with it. */
export interface Timers {
  /**
   * Sets a timer: `onTimer` is called with its name, as a task of its own, once so many milliseconds have passed since
   * `ctx.now()`. One of the same name that is pending is set anew. It is never early, and may be late: a channel that waits for
   * credit or its log, or is lost and made again, lets it go off afterwards. None does once all inputs have ended, or after
   * `ctx.stop()`.
   *
   * @param name - up to 256 characters
   * @param afterMs - milliseconds, from 0 on
   * @throws QStreamError OPTION_INVALID for a delay or name that can't be, or an operator without `onTimer`; LIMIT_EXCEEDED beyond
   * `limits.timers` pending ones; UNSUPPORTED outside of the operator's calls
   * @example
   * execute({ objects }, ctx) { this.#held.push(...objects); ctx.timers.set("flush", 20); }
   * onTimer() { return this.#held.splice(0); }
   */
  set(name: string, afterMs: number): void;
  /** Makes a timer not go off. False if none of this name was pending. */
  clear(name: string): boolean;
  /** True while a timer of this name is pending: set, and neither gone off nor cleared. */
  has(name: string): boolean;
}

/** What an operator's channel knows and may ask: that of every channel, and timers. */
export interface OperatorContext extends Context {
  readonly timers: Timers;
}
