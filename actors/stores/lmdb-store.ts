import { join, resolve } from "node:path";
import type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../../lib/core/contracts/lineage-store.ts";
import { CheckpointFiles } from "./checkpoint-files.ts";
import { LmdbDatabase, lmdbError, rangeOf } from "./lmdb-database.ts";
import { packRecords, unpackRecords } from "./record-groups.ts";
import { executionExists, executionUnknown, noSuchChannel, notCommitted, sameBytes } from "./store-errors.ts";

export interface LmdbStoreOptions {
  /** Waits until the disk has each commit: it survives a power cut. Without it, it survives kill -9. Default false. */
  readonly flush?: boolean;
}

/** What is known of a channel beside its records and checkpoints. */
interface ChannelState {
  readonly generation: number;
  readonly lastSeq: number;
  /** Records up to this seq have been freed, or are in a group with later ones. */
  readonly freedThrough: number;
  /** Checkpoints before this seq have been freed. */
  readonly checkpointsFrom: number;
}

interface ExecutionState {
  readonly status: ExecutionStatus;
  readonly createdAt: number;
  readonly channels: number;
}

/** What is known of a cause of failures. */
interface FailureState {
  readonly count: number;
  /** The last task that failed so. */
  readonly seq: number;
}

interface NewRecords {
  readonly channel: number;
  readonly firstSeq: number;
  readonly records: readonly Uint8Array[];
}

interface JudgedCommits {
  readonly answers: readonly CommitAnswer[];
  readonly written: readonly NewRecords[];
  /** Channels that got records, as they are afterwards. */
  readonly changed: ReadonlyMap<number, ChannelState>;
}

const kinds = {
  execution: "e",
  description: "d",
  /** Executions whose removal has begun: it is finished by whoever opens the store next. */
  removed: "x",
  channel: "c",
  record: "r",
  checkpoint: "k",
  failures: "f",
} as const;
const perChannel = [kinds.channel, kinds.record, kinds.checkpoint, kinds.failures] as const;
const newChannel: ChannelState = { generation: 0, lastSeq: -1, freedThrough: -1, checkpointsFrom: 0 };
const readBytesMax = 16 << 20;

/**
 * Opens an embedded store in a folder, which is made where it isn't there. Several processes may have it open.
 *
 * @param folder - path of the folder
 * @throws QStreamError PACKAGE_MISSING, STORE_REFUSED where the folder can't be written, STORE_UNAVAILABLE
 */
export async function openLmdbStore(folder: string, options: LmdbStoreOptions = {}): Promise<LineageStore> {
  const flush = options.flush ?? false;
  const database = await LmdbDatabase.open(folder, flush);
  const store = new LmdbStore(database, new CheckpointFiles(join(resolve(folder), "checkpoints"), flush));
  try {
    await store.finishRemovals();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

class LmdbStore implements LineageStore {
  readonly kind = "lmdb";
  readonly #database: LmdbDatabase;
  readonly #files: CheckpointFiles;

  constructor(database: LmdbDatabase, files: CheckpointFiles) {
    this.#database = database;
    this.#files = files;
  }

  async create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    if (this.#database.bytes([kinds.removed, execution]) !== undefined) await this.#remove(execution);
    await this.#database.write(() => {
      const known = this.#database.bytes([kinds.description, execution]);
      if (known !== undefined) {
        if (sameBytes(known, description)) return;
        throw executionExists(execution);
      }
      this.#database.put([kinds.description, execution], description);
      this.#database.putState([kinds.execution, execution], { status: "running", createdAt, channels });
    });
  }

  async find(execution: string): Promise<StoredExecution | undefined> {
    const state = this.#database.state<ExecutionState>([kinds.execution, execution]);
    const description = this.#database.bytes([kinds.description, execution]);
    return state === undefined || description === undefined ? undefined : { execution, description, ...state };
  }

  async list(): Promise<readonly StoredExecution[]> {
    const found: StoredExecution[] = [];
    for (const key of this.#database.keys(rangeOf(kinds.execution))) {
      // oxlint-disable-next-line no-await-in-loop -- it doesn't wait
      const stored = await this.find(String(key[1]));
      if (stored !== undefined) found.push(stored);
    }
    return found.toSorted((a, b) => a.createdAt - b.createdAt);
  }

  async setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    await this.#database.write(() => {
      this.#database.putState([kinds.execution, execution], { ...this.#known(execution), status });
    });
  }

  async drop(execution: string): Promise<void> {
    if (this.#database.bytes([kinds.execution, execution]) === undefined) return;
    await this.#database.write(() => {
      this.#database.put([kinds.removed, execution], new Uint8Array(1));
      for (const kind of [kinds.execution, kinds.description]) this.#database.remove([kind, execution]);
    });
    await this.#remove(execution);
  }

  /** Removals that a process began and didn't live to finish. */
  async finishRemovals(): Promise<void> {
    for (const key of this.#database.keys(rangeOf(kinds.removed))) {
      // oxlint-disable-next-line no-await-in-loop -- seldom more than one
      await this.#remove(String(key[1]));
    }
  }

  async commit(execution: string, commits: readonly ChannelCommit[]): Promise<readonly CommitAnswer[]> {
    return this.#database.write(() => {
      const { answers, written, changed } = this.#judge(execution, commits);
      for (const { channel, firstSeq, records } of written) {
        for (const { lastSeq, bytes } of packRecords(firstSeq, records)) {
          this.#database.put([kinds.record, execution, channel, lastSeq], bytes);
        }
      }
      for (const [channel, state] of changed) this.#putChannel(execution, channel, state);
      return answers;
    });
  }

  async read(
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ): Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]> {
    const after = Math.max(afterSeq, this.#channel(execution, channel).freedThrough);
    const { end } = rangeOf(kinds.record, execution, channel);
    const found: { seq: number; record: Uint8Array }[] = [];
    let read = 0;
    // A group has the seq of its last record as its key: the first one from here on holds the record that is next.
    const range = { start: [kinds.record, execution, channel, after + 1], end };
    for (const { key, bytes } of this.#database.entries(range, max)) {
      for (const one of unpackRecords({ lastSeq: Number(key[3]), bytes })) if (one.seq > after) found.push(one);
      read += bytes.byteLength;
      if (read >= readBytesMax || found.length >= max) break;
    }
    return found.slice(0, max);
  }

  async saveCheckpoint(
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ): Promise<CommitAnswer> {
    if (this.#judgeCheckpoint(execution, channel, generation, seq) === "fenced") return "fenced";
    const place = { execution, channel, generation, seq };
    const kept = await this.#file(() => this.#files.save(place, bytes));
    const key = [kinds.checkpoint, execution, channel, seq];
    let unneeded: Uint8Array | undefined;
    const answer = await this.#database.write(() => {
      const judged = this.#judgeCheckpoint(execution, channel, generation, seq);
      if (judged === "committed") {
        unneeded = this.#database.bytes(key);
        this.#database.put(key, kept);
      } else {
        unneeded = kept;
      }
      return judged === "passed" ? "committed" : judged;
    });
    if (unneeded !== undefined) await this.#files.remove(execution, unneeded, this.#database.bytes(key));
    return answer;
  }

  async loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    this.#channel(execution, channel);
    const kept = this.#database.bytes([kinds.checkpoint, execution, channel, seq]);
    return kept === undefined ? undefined : this.#file(() => this.#files.load(execution, kept));
  }

  async fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    return this.#database.write(() => {
      for (const channel of channels) this.#channel(execution, channel);
      return channels.map((channel) => {
        const state = this.#channel(execution, channel);
        const generation = state.generation + 1;
        this.#putChannel(execution, channel, { ...state, generation });
        return { channel, generation, lastSeq: state.lastSeq, checkpoints: this.#checkpoints(execution, channel) };
      });
    });
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    const through = Math.min(recordsThrough, this.#channel(execution, channel).lastSeq);
    await this.#database.removeRange({
      start: [kinds.record, execution, channel],
      end: [kinds.record, execution, channel, through + 1],
    });
    await this.#database.write(() => {
      const state = this.#channel(execution, channel);
      const freedThrough = Math.max(state.freedThrough, through);
      const checkpointsFrom = Math.max(state.checkpointsFrom, checkpointsBefore);
      this.#putChannel(execution, channel, { ...state, freedThrough, checkpointsFrom });
      for (const seq of this.#checkpoints(execution, channel)) {
        if (seq < checkpointsBefore) this.#database.remove([kinds.checkpoint, execution, channel, seq]);
      }
      this.#freeFailures(execution, channel, freedThrough);
    });
    await this.#file(() => this.#files.removeBefore(execution, channel, checkpointsBefore));
  }

  async countFailure(execution: string, channel: number, seq: number, cause: string): Promise<number> {
    return this.#database.write(() => {
      this.#channel(execution, channel);
      const key = [kinds.failures, execution, channel, cause];
      const known = this.#database.state<FailureState>(key);
      const count = (known?.count ?? 0) + 1;
      this.#database.putState(key, { count, seq: Math.max(seq, known?.seq ?? seq) } satisfies FailureState);
      return count;
    });
  }

  async progress(execution: string, channel: number): Promise<ChannelProgress> {
    const { generation, lastSeq } = this.#channel(execution, channel);
    return { generation, lastSeq, checkpoint: this.#checkpoints(execution, channel).at(-1) ?? -1 };
  }

  async bytesHeld(): Promise<number> {
    return this.#database.bytesHeld() + (await this.#file(() => this.#files.bytesHeld()));
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /** What a commit writes, and answers. It throws before anything is written. */
  #judge(execution: string, commits: readonly ChannelCommit[]): JudgedCommits {
    const { channels } = this.#known(execution);
    const states = new Map<number, ChannelState>();
    const changed = new Map<number, ChannelState>();
    const written: NewRecords[] = [];
    const answers = commits.map(({ channel, generation, firstSeq, records }): CommitAnswer => {
      if (channel >= channels) throw noSuchChannel(execution, channel);
      const state = changed.get(channel) ?? states.get(channel) ?? this.#stateOf(execution, channel);
      states.set(channel, state);
      if (state.generation !== generation) return "fenced";
      const { lastSeq } = state;
      if (firstSeq > lastSeq + 1) throw notCommitted(channel, lastSeq);
      const fresh = records.slice(lastSeq + 1 - firstSeq);
      if (fresh.length === 0) return "committed";
      written.push({ channel, firstSeq: lastSeq + 1, records: fresh });
      changed.set(channel, { ...state, lastSeq: lastSeq + fresh.length });
      return "committed";
    });
    return { answers, written, changed };
  }

  /** `passed`: it was freed already. */
  #judgeCheckpoint(execution: string, channel: number, generation: number, seq: number): CommitAnswer | "passed" {
    const state = this.#channel(execution, channel);
    if (state.generation !== generation) return "fenced";
    if (seq > state.lastSeq) throw notCommitted(channel, state.lastSeq);
    return seq < state.checkpointsFrom ? "passed" : "committed";
  }

  async #remove(execution: string): Promise<void> {
    for (const kind of perChannel) {
      // oxlint-disable-next-line no-await-in-loop -- each in transactions of bounded size
      await this.#database.removeRange(rangeOf(kind, execution));
    }
    await this.#file(() => this.#files.drop(execution));
    await this.#database.write(() => this.#database.remove([kinds.removed, execution]));
  }

  #known(execution: string): ExecutionState {
    const state = this.#database.state<ExecutionState>([kinds.execution, execution]);
    if (state === undefined) throw executionUnknown(execution);
    return state;
  }

  #channel(execution: string, channel: number): ChannelState {
    if (channel >= this.#known(execution).channels) throw noSuchChannel(execution, channel);
    return this.#stateOf(execution, channel);
  }

  #stateOf(execution: string, channel: number): ChannelState {
    return this.#database.state<ChannelState>([kinds.channel, execution, channel]) ?? newChannel;
  }

  #putChannel(execution: string, channel: number, state: ChannelState): void {
    this.#database.putState([kinds.channel, execution, channel], state);
  }

  #freeFailures(execution: string, channel: number, through: number): void {
    for (const key of this.#database.keys(rangeOf(kinds.failures, execution, channel))) {
      // One without a seq was counted by an earlier version.
      const seq = this.#database.state<Partial<FailureState>>(key)?.seq ?? -1;
      if (seq <= through) this.#database.remove(key);
    }
  }

  #checkpoints(execution: string, channel: number): readonly number[] {
    return this.#database.keys(rangeOf(kinds.checkpoint, execution, channel)).map((key) => Number(key[3]));
  }

  async #file<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw lmdbError("the store's checkpoints can't be reached", error);
    }
  }
}
