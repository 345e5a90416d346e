import type { CommitAnswer } from "./lineage-store.ts";

/** The state of an actor after a transition, and all that goes with it. Opaque to the journal. */
export interface JournalSnapshot {
  /** The last transition that it stands on. */
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** What is written for one actor in one step: all of it or nothing. */
export interface JournalEntry {
  /** Its kind and key: what tells it from all others, now and after any loss. Whole characters only. */
  readonly actor: string;
  readonly generation: number;
  /** Seq of the first record; the next one of the actor where there are no records. */
  readonly firstSeq: number;
  /** Encoded records, one a transition. Opaque to the journal. */
  readonly records: readonly Uint8Array[];
  /** Takes the place of the one before, and frees the records that it stands on, which may be among these. */
  readonly snapshot?: JournalSnapshot | undefined;
  /** From now on the actor has something to do by itself, or nothing more: messages on their way, timers. As before unless told. */
  readonly isAwake?: boolean | undefined;
}

/** What is there of an actor once its earlier generations are shut out. */
export interface ClaimedActor {
  /** The generation that may write from now on. */
  readonly generation: number;
  /** Seq of the last transition, or -1. */
  readonly lastSeq: number;
  /** Undefined where there is none. */
  readonly snapshot: JournalSnapshot | undefined;
  readonly isAwake: boolean;
}

export interface JournalRecord {
  readonly seq: number;
  readonly record: Uint8Array;
}

/**
 * Where transitions of durable actors are kept, beside lineage in the same stores. Every call can be repeated: one whose answer never
 * came is made again with the same arguments, and then changes nothing.
 *
 * Errors: STORE_UNAVAILABLE while the store can't be reached (the caller waits and repeats), STORE_REFUSED where it refuses
 * writes, STORE_LOST where it is another or an emptied one.
 */
export interface ActorJournal {
  /** What it is: "memory", "lmdb", "redis". */
  readonly kind: string;
  /**
   * Appends: durable when the promise is fulfilled. An entry is passed over where later transitions are there already. A gap is LINEAGE_REGRESSED.
   *
   * @returns an answer for each entry, in order. `fenced`: somebody has claimed the actor since, and nothing of the entry was written
   */
  append: (entries: readonly JournalEntry[]) => Promise<readonly CommitAnswer[]>;
  /** Shuts out whoever wrote for these actors so far. An actor that isn't there has no records yet. */
  claim: (actors: readonly string[]) => Promise<readonly ClaimedActor[]>;
  /** Records of an actor after `afterSeq`, in order: some of them, none at the end. Those that a snapshot freed may be left out. */
  read: (actor: string, afterSeq: number) => Promise<readonly JournalRecord[]>;
  /** Actors that have something to do by themselves. */
  awake: () => Promise<readonly string[]>;
  close: () => Promise<void>;
}
