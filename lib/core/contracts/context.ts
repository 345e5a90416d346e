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
