import type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../../lib/core/contracts/lineage-store.ts";
import { executionExists, executionUnknown, noSuchChannel, notCommitted, sameBytes } from "./store-errors.ts";

interface KeptChannel {
  generation: number;
  /** Seq of the first record that is kept. */
  firstSeq: number;
  records: Uint8Array[];
  /** Checkpoints before this seq have been freed. */
  checkpointsFrom: number;
  readonly checkpoints: Map<number, Uint8Array>;
  /** By cause. */
  readonly failures: Map<string, KeptFailure>;
}

interface KeptFailure {
  readonly count: number;
  /** The last task that failed so. */
  readonly seq: number;
}

interface KeptExecution {
  readonly stored: StoredExecution;
  status: ExecutionStatus;
  readonly channels: readonly KeptChannel[];
}

/** Keeps lineage in this process's memory: a slot may be lost, but what the process has is lost with it. */
export class MemoryStore implements LineageStore {
  readonly kind = "memory";
  readonly #executions = new Map<string, KeptExecution>();

  async create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    const known = this.#executions.get(execution);
    if (known !== undefined) {
      if (sameBytes(known.stored.description, description)) return;
      throw executionExists(execution);
    }
    this.#executions.set(execution, {
      stored: { execution, description: description.slice(), status: "running", createdAt, channels },
      status: "running",
      channels: Array.from({ length: channels }, () => ({
        generation: 0,
        firstSeq: 0,
        records: [],
        checkpointsFrom: 0,
        checkpoints: new Map(),
        failures: new Map(),
      })),
    });
  }

  async find(execution: string): Promise<StoredExecution | undefined> {
    const kept = this.#executions.get(execution);
    return kept === undefined ? undefined : { ...kept.stored, status: kept.status };
  }

  async list(): Promise<readonly StoredExecution[]> {
    const found = [...this.#executions.values()].map(({ stored, status }) => ({ ...stored, status }));
    return found.toSorted((a, b) => a.createdAt - b.createdAt);
  }

  async setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    this.#kept(execution).status = status;
  }

  async drop(execution: string): Promise<void> {
    this.#executions.delete(execution);
  }

  async commit(execution: string, commits: readonly ChannelCommit[]): Promise<readonly CommitAnswer[]> {
    const kept = this.#kept(execution);
    checkCommits(kept, commits);
    return commits.map((commit) => commitTo(channelOf(kept, commit.channel), commit));
  }

  async read(
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ): Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]> {
    const { firstSeq, records } = channelOf(this.#kept(execution), channel);
    const from = Math.max(0, afterSeq + 1 - firstSeq);
    return records.slice(from, from + max).map((record, index) => ({ seq: firstSeq + from + index, record }));
  }

  async saveCheckpoint(
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ): Promise<CommitAnswer> {
    const kept = channelOf(this.#kept(execution), channel);
    if (generation !== kept.generation) return "fenced";
    if (seq > lastSeqOf(kept)) throw notCommitted(channel, lastSeqOf(kept));
    if (seq >= kept.checkpointsFrom) kept.checkpoints.set(seq, bytes.slice());
    return "committed";
  }

  async loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    return channelOf(this.#kept(execution), channel).checkpoints.get(seq)?.slice();
  }

  async fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    const kept = this.#kept(execution);
    const found = channels.map((channel) => ({ channel, fenced: channelOf(kept, channel) }));
    return found.map(({ channel, fenced }) => {
      const generation = ++fenced.generation;
      const checkpoints = [...fenced.checkpoints.keys()].toSorted((a, b) => a - b);
      return { channel, generation, lastSeq: lastSeqOf(fenced), checkpoints };
    });
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    const kept = channelOf(this.#kept(execution), channel);
    const count = Math.max(0, Math.min(kept.records.length, recordsThrough + 1 - kept.firstSeq));
    kept.records = kept.records.slice(count);
    kept.firstSeq += count;
    kept.checkpointsFrom = Math.max(kept.checkpointsFrom, checkpointsBefore);
    for (const seq of kept.checkpoints.keys()) if (seq < checkpointsBefore) kept.checkpoints.delete(seq);
    for (const [cause, { seq }] of kept.failures) if (seq < kept.firstSeq) kept.failures.delete(cause);
  }

  async countFailure(execution: string, channel: number, seq: number, cause: string): Promise<number> {
    const { failures } = channelOf(this.#kept(execution), channel);
    const known = failures.get(cause);
    const count = (known?.count ?? 0) + 1;
    failures.set(cause, { count, seq: Math.max(seq, known?.seq ?? seq) });
    return count;
  }

  async progress(execution: string, channel: number): Promise<ChannelProgress> {
    const kept = channelOf(this.#kept(execution), channel);
    const checkpoint = Math.max(-1, ...kept.checkpoints.keys());
    return { generation: kept.generation, lastSeq: lastSeqOf(kept), checkpoint };
  }

  async bytesHeld(): Promise<number> {
    let bytes = 0;
    for (const { stored, channels } of this.#executions.values()) {
      bytes += stored.description.byteLength;
      for (const { records, checkpoints } of channels) {
        for (const record of records) bytes += record.byteLength;
        for (const checkpoint of checkpoints.values()) bytes += checkpoint.byteLength;
      }
    }
    return bytes;
  }

  async close(): Promise<void> {
    this.#executions.clear();
  }

  #kept(execution: string): KeptExecution {
    const kept = this.#executions.get(execution);
    if (kept === undefined) throw executionUnknown(execution);
    return kept;
  }
}

/** A commit that can't be made keeps the whole call from writing. */
function checkCommits(kept: KeptExecution, commits: readonly ChannelCommit[]): void {
  const last = new Map<number, number>();
  for (const { channel, generation, firstSeq, records } of commits) {
    const found = channelOf(kept, channel);
    if (generation !== found.generation) continue;
    const lastSeq = last.get(channel) ?? lastSeqOf(found);
    if (firstSeq > lastSeq + 1) throw notCommitted(channel, lastSeq);
    last.set(channel, Math.max(lastSeq, firstSeq + records.length - 1));
  }
}

function commitTo(kept: KeptChannel, { generation, firstSeq, records }: ChannelCommit): CommitAnswer {
  if (generation !== kept.generation) return "fenced";
  for (const record of records.slice(Math.max(0, lastSeqOf(kept) + 1 - firstSeq))) kept.records.push(record.slice());
  return "committed";
}

function lastSeqOf({ firstSeq, records }: KeptChannel): number {
  return firstSeq + records.length - 1;
}

function channelOf(kept: KeptExecution, channel: number): KeptChannel {
  const found = kept.channels[channel];
  if (found === undefined) throw noSuchChannel(kept.stored.execution, channel);
  return found;
}
