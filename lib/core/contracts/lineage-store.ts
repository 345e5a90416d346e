import type { BlobPlace } from "./lineage.ts";

/** What a store keeps of an execution, so that it can be listed and gone on with. */
export interface StoredExecution {
  readonly execution: string;
  /** Everything that is needed to go on: flow, arguments, plan. Opaque to the store. */
  readonly description: Uint8Array;
  readonly status: ExecutionStatus;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly channels: number;
}

export type ExecutionStatus = "running" | "done" | "failed" | "cancelled";

/** Records of one channel, one after the other from `firstSeq` on. */
export interface ChannelCommit {
  /** Number of the channel within its execution, from 0. */
  readonly channel: number;
  readonly generation: number;
  readonly firstSeq: number;
  /** Encoded records, one a task. Opaque to the store. */
  readonly records: readonly Uint8Array[];
}

/** How a channel's commit ended. `fenced`: a newer generation has taken over, and nothing was written. */
export type CommitAnswer = "committed" | "fenced";

/** What is known of a channel once its earlier generations are shut out. */
export interface FencedChannel {
  readonly channel: number;
  /** The generation that may write from now on. */
  readonly generation: number;
  /** Seq of the last committed task, or -1. */
  readonly lastSeq: number;
  /** Seqs of the checkpoints that can be loaded, ascending. */
  readonly checkpoints: readonly number[];
}

/** How far a channel came. */
export interface ChannelProgress {
  readonly generation: number;
  /** Seq of the last committed task, or -1. */
  readonly lastSeq: number;
  /** Seq of the newest checkpoint, or -1. */
  readonly checkpoint: number;
}

/**
 * Where lineage and checkpoints are kept. Every call is one atomic step, and can be repeated: a call whose answer never came
 * is made again with the same arguments, and then changes nothing. Channels are numbered within their execution; one that it
 * doesn't have is INTERNAL.
 *
 * Errors: STORE_UNAVAILABLE while the store can't be reached (the caller waits and repeats), STORE_REFUSED where it refuses
 * writes, STORE_LOST where it is another or an emptied one, EXECUTION_UNKNOWN, EXECUTION_EXISTS.
 */
export interface LineageStore {
  /** What it is: "memory", "lmdb", "redis". */
  readonly kind: string;
  /** Makes an execution whose channels have generation 0. EXECUTION_EXISTS, unless it is there with the same description. */
  create: (execution: string, description: Uint8Array, channels: number, createdAt: number) => Promise<void>;
  /** One execution, or undefined. */
  find: (execution: string) => Promise<StoredExecution | undefined>;
  /** All executions, oldest first. */
  list: () => Promise<readonly StoredExecution[]>;
  setStatus: (execution: string, status: ExecutionStatus) => Promise<void>;
  /** Removes everything of an execution. One that isn't there is no error. */
  drop: (execution: string) => Promise<void>;

  /**
   * Appends records of several channels: durable when the promise is fulfilled. Each channel's are all written or none. Those
   * that are there already (by seq) are skipped. A gap is LINEAGE_REGRESSED, and nothing of the call is written.
   *
   * @returns an answer for each commit, in order
   */
  commit: (execution: string, commits: readonly ChannelCommit[]) => Promise<readonly CommitAnswer[]>;
  /** Records of a channel after `afterSeq`, in order, with their seqs: at most `max`, fewer if they are large, none at the end. */
  read: (
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ) => Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]>;

  /**
   * Keeps a checkpoint: the state after task `seq`, which must be committed (else LINEAGE_REGRESSED). The same seq again replaces it; one
   * before what was freed isn't kept. Checked by checksum when it is loaded.
   */
  saveCheckpoint: (
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ) => Promise<CommitAnswer>;
  /** Where large checkpoints are: who has one may write it there, and give `saveCheckpoint` the pointer instead of the bytes. */
  readonly blobs?: BlobPlace | undefined;
  /** What the store itself keeps of a checkpoint: its bytes, or the pointer of one that is in `blobs`. */
  findCheckpoint?: (execution: string, channel: number, seq: number) => Promise<Uint8Array | undefined>;
  /** A checkpoint's bytes, or undefined where there is none, or none that is whole. */
  loadCheckpoint: (execution: string, channel: number, seq: number) => Promise<Uint8Array | undefined>;

  /** Shuts out all generations of channels so far: what they still write is refused. Repeating it makes yet another generation. */
  fence: (execution: string, channels: readonly number[]) => Promise<readonly FencedChannel[]>;

  /**
   * Frees what no task can need any more: records up to `recordsThrough`, also the failures of tasks whose records are freed,
   * and checkpoints before `checkpointsBefore`. Numbers below earlier ones change nothing.
   */
  free: (execution: string, channel: number, recordsThrough: number, checkpointsBefore: number) => Promise<void>;

  /**
   * Counts that a channel failed, and returns how often it has by now for the same cause. Survives the run. A repeated call may
   * count twice. A cause's count is freed with the record of the last task that it made fail.
   *
   * @param seq - the task; another try of the same may have another one, as the tasks before it may be cut otherwise
   * @param cause - what it failed on: a short text, by which alone failures are counted
   */
  countFailure: (execution: string, channel: number, seq: number, cause: string) => Promise<number>;

  /** How far a channel came, for people. */
  progress: (execution: string, channel: number) => Promise<ChannelProgress>;
  /** Bytes held for all executions, where the store can tell; for metrics and benchmarks. */
  bytesHeld: () => Promise<number>;
  close: () => Promise<void>;
}
