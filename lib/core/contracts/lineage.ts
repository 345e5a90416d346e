/** Why a task ran. With the inputs that it consumed, it is all that is needed to run the task again. */
export type Cause =
  | { readonly kind: "read"; readonly split: number; readonly position: number; readonly count: number }
  | { readonly kind: "parcels"; readonly input: string }
  | { readonly kind: "input-end"; readonly input: string }
  | { readonly kind: "continue" }
  /** A timer of the operator's went off. */
  | { readonly kind: "timer"; readonly name: string }
  | { readonly kind: "done" }
  /** A round of a loop ended in the channel, which then feeds back. */
  | { readonly kind: "round"; readonly number: number }
  /** The channel told all channels of its loop that it has fed back all of a round or generation; `flags` as in `Mark`. */
  | { readonly kind: "mark"; readonly number: number; readonly flags: number }
  /** Nobody wanted more, or the operator had all it needed: nothing is consumed after this. */
  | { readonly kind: "stop" }
  /** Parcels whose task failed again and again were passed over, as the step asks for. */
  | { readonly kind: "skip"; readonly input: string; readonly error: string };

/** Consecutive parcels of one link that a task consumed, none between them left out. */
export interface Consumed {
  readonly edge: number;
  readonly from: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** How much a task sent on one link, also where the consumer had closed it and nothing went out. */
export interface Produced {
  readonly edge: number;
  readonly to: number;
  readonly objects: number;
  /** CRC-32 of the payload where it is encoded anyway; 0 where it isn't. */
  readonly checksum: number;
}

/** What is logged of a task, before anybody may consume its outputs. */
export interface TaskRecord {
  readonly seq: number;
  readonly cause: Cause;
  readonly consumed: readonly Consumed[];
  readonly produced: readonly Produced[];
  /** Objects that the task took of what the operator or reader gave, side outputs included: where replay cuts. */
  readonly taken: number;
  /** True if more of what the operator gave follows in another task. */
  readonly more: boolean;
  /** What a source gave that can't be asked again, so that it is durable before anybody gets it. */
  readonly content: Uint8Array | undefined;
  /** What `ctx.now()` said, if it was asked: milliseconds since 1970. */
  readonly now: number | undefined;
}

/** Where one link of a channel stood when a checkpoint was taken: the last parcel that was consumed, or made. */
export interface LinkPosition {
  readonly edge: number;
  /** The channel at the other end. */
  readonly other: number;
  readonly seq: number;
}

/** Where the links of a channel stood when a checkpoint was taken: recovery is planned by it. Links without parcels are left out. */
export interface CheckpointPositions {
  readonly consumed: readonly LinkPosition[];
  readonly made: readonly LinkPosition[];
}

/** What a checkpoint stands on that holds only what has changed: both are of the same life of its channel. */
export interface ChangesSince {
  /** Seq of the checkpoint before it. */
  readonly previous: number;
  /** Seq of the last one that holds all of the state. */
  readonly base: number;
}

/** What is known of a checkpoint without reading the state in it. */
export interface CheckpointHead extends CheckpointPositions {
  /** Undefined for a checkpoint that holds all of the state. */
  readonly changes?: ChangesSince | undefined;
}

/** A checkpoint as it is loaded. */
export interface LoadedCheckpoint {
  /** The state, or what has changed in it. */
  readonly state: Uint8Array;
  /** Seq of the checkpoint since which that has changed; undefined where it is all of the state. */
  readonly previous: number | undefined;
}

/** Where large checkpoints are kept beside a store. */
export interface BlobPlace {
  /** A folder that all slots reach, or `s3://bucket/prefix`. */
  readonly path: string;
  /** Bytes of the largest checkpoint that the store itself keeps. */
  readonly storeBytesMax: number;
}

/** Which life of which channel writes. */
export interface ChannelLog {
  readonly execution: string;
  /** Number of the channel within its execution, from 0. */
  readonly number: number;
  readonly generation: number;
  /** Where its slot writes large checkpoints; undefined where the store takes all. */
  readonly blobs?: BlobPlace | undefined;
}

/** The log that the channels of a slot write their tasks to, and read them from after a loss. */
export interface LineageLog {
  /** False where nothing is kept: then records aren't made, only numbered, and nothing can be read. */
  readonly keeps: boolean;
  /**
   * Appends a record; `committed` is called once it is durable, in the order of records. It is never called for a channel
   * that was fenced.
   */
  append: (channel: ChannelLog, record: TaskRecord, committed: () => void) => void;
  /** A channel can't go on before consumers have what its tasks made: what was appended isn't held back any longer. */
  hurry: (execution: string) => void;
  /** Records after `afterSeq`, in order: some of them, or none where the log ends. */
  read: (channel: ChannelLog, afterSeq: number) => Promise<readonly TaskRecord[]>;
  /**
   * Keeps the state after task `seq`, once that is committed. The bytes are the whole checkpoint, its head among them, and are
   * given away.
   *
   * @returns false where it can't be used, because what it stands on is damaged: the next one has to hold all of the state
   */
  saveCheckpoint: (channel: ChannelLog, seq: number, bytes: Uint8Array, head: CheckpointHead) => Promise<boolean>;
  /** A checkpoint, or undefined where none is there, or none that is whole. */
  loadCheckpoint: (channel: ChannelLog, seq: number) => Promise<LoadedCheckpoint | undefined>;
  /** A life is over: nothing is committed for it any more. */
  closeLog: (channel: ChannelLog) => void;
  /** An execution is over here. */
  close: (execution: string) => void;
}
