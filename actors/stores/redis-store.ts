import { crc32 } from "node:zlib";
import type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { RedisArgument } from "./redis-connection.ts";
import { bufferOf, bytesOf, listOf, numberOf, seqsOf, textOf } from "./redis-replies.ts";
import {
  bytesScript,
  commitScript,
  createScript,
  dropScript,
  failureScript,
  fenceScript,
  findScript,
  freeScript,
  listScript,
  loadScript,
  progressScript,
  readScript,
  saveScript,
  statusScript,
} from "./redis-scripts.ts";
import { RedisSteps, type RedisStoreOptions } from "./redis-steps.ts";
import { executionExists } from "./store-errors.ts";

export type { RedisStoreOptions } from "./redis-steps.ts";

/** A checkpoint is written in pieces of this size, so that nobody's commit waits for all of it. */
const pieceBytes = 1 << 20;
const checkpointBytesMax = 64 << 20;
/** More was never written: a length that says so is damaged. */
const loadedBytesMax = 512 << 20;
// What one script is given: Redis does nothing else meanwhile.
const commitBytesMax = 8 << 20;
const readBytesMax = 16 << 20;

/**
 * Opens a store in a Redis of at least version 6.2, which is one primary.
 *
 * @param text - `redis://[user:password@]host:port/db` or `rediss://`, with `?prefix=<name>` for another prefix than `qstream`
 * @throws QStreamError OPTION_INVALID, STORE_UNAVAILABLE, STORE_REFUSED
 */
export async function openRedisStore(text: string, options: RedisStoreOptions = {}): Promise<LineageStore> {
  return new RedisStore(await RedisSteps.open(text, options));
}

class RedisStore implements LineageStore {
  readonly kind = "redis";
  readonly #steps: RedisSteps;

  constructor(steps: RedisSteps) {
    this.#steps = steps;
  }

  async create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    const args = [bufferOf(description), String(channels), String(createdAt), execution];
    const [state] = await this.#steps.run(createScript, execution, args);
    if (state === "exists") throw executionExists(execution);
  }

  async find(execution: string): Promise<StoredExecution | undefined> {
    const [state, found] = await this.#steps.run(findScript, execution, []);
    if (state === "unknown") return undefined;
    const [description, status, createdAt, channels] = listOf(found);
    return {
      execution,
      description: bytesOf(description),
      status: textOf(status) as ExecutionStatus,
      createdAt: numberOf(createdAt),
      channels: numberOf(channels),
    };
  }

  async list(): Promise<readonly StoredExecution[]> {
    const [, names] = await this.#steps.run(listScript, "", []);
    const found: StoredExecution[] = [];
    for (const name of listOf(names)) {
      // oxlint-disable-next-line no-await-in-loop -- descriptions may be large: one after the other
      const stored = await this.find(textOf(name));
      if (stored !== undefined) found.push(stored);
    }
    return found;
  }

  async setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    await this.#steps.runKnown(statusScript, execution, [...this.#steps.number(), status]);
    if (status !== "running") this.#steps.forget(execution);
  }

  async drop(execution: string): Promise<void> {
    await this.#steps.run(dropScript, execution, [execution]);
    this.#steps.forget(execution);
  }

  async commit(execution: string, commits: readonly ChannelCommit[]): Promise<readonly CommitAnswer[]> {
    const answers: CommitAnswer[] = [];
    for (let at = 0; at < commits.length;) {
      const some = takeCommits(commits, at);
      const args = some.flatMap(({ channel, generation, firstSeq, records }): RedisArgument[] => {
        return [
          String(channel),
          String(generation),
          String(firstSeq),
          String(records.length),
          ...records.map(bufferOf),
        ];
      });
      // oxlint-disable-next-line no-await-in-loop -- the commits of a channel are in order
      const [, states] = await this.#steps.runKnown(commitScript, execution, [String(some.length), ...args]);
      for (const [index, state] of listOf(states).entries()) {
        const answer = textOf(state) === "committed" ? "committed" : "fenced";
        if (answer === "committed") this.#steps.committed(execution, some[index] as ChannelCommit);
        answers.push(answer);
      }
      at += some.length;
    }
    return answers;
  }

  async read(
    execution: string,
    channel: number,
    afterSeq: number,
    max: number,
  ): Promise<readonly { readonly seq: number; readonly record: Uint8Array }[]> {
    const args = [String(channel), String(afterSeq), String(max), String(readBytesMax)];
    const [, first, records] = await this.#steps.runKnown(readScript, execution, args);
    return listOf(records).map((record, index) => ({ seq: numberOf(first) + index, record: bytesOf(record) }));
  }

  async saveCheckpoint(
    execution: string,
    channel: number,
    generation: number,
    seq: number,
    bytes: Uint8Array,
  ): Promise<CommitAnswer> {
    if (bytes.byteLength > checkpointBytesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", `a checkpoint has ${bytes.byteLength} bytes`, {
        channel,
        seq,
        advice:
          "Redis takes 64 MiB: name a place for large ones, --checkpoints FOLDER or s3://bucket/prefix (local({ checkpoints }))",
      });
    }
    const name = `${seq}:${crc32(bytes)}-${bytes.byteLength}`;
    const pieces = piecesOf(bytes.byteLength);
    for (let piece = 0; piece < pieces; piece++) {
      const part = bufferOf(bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes));
      const last = piece === pieces - 1 ? pieces : 0;
      const args = [String(channel), String(generation), String(seq), name, String(piece), part, String(last)];
      // oxlint-disable-next-line no-await-in-loop -- commits go between the pieces
      const [, answer] = await this.#steps.runKnown(saveScript, execution, args);
      if (textOf(answer) === "fenced") return "fenced";
      if (textOf(answer) === "passed") break;
    }
    return "committed";
  }

  async loadCheckpoint(execution: string, channel: number, seq: number): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array | undefined;
    let found = "";
    for (let piece = 0; bytes === undefined || piece < piecesOf(bytes.byteLength); piece++) {
      const args = [String(channel), String(seq), String(piece)];
      // oxlint-disable-next-line no-await-in-loop -- commits go between the pieces
      const [, name, part] = await this.#steps.runKnown(loadScript, execution, args);
      if (!(part instanceof Buffer)) return undefined;
      found = textOf(name);
      bytes ??= new Uint8Array(Math.min(loadedBytesMax, Number(found.split("-")[1])));
      if (piece * pieceBytes + part.byteLength > bytes.byteLength) return undefined;
      bytes.set(part, piece * pieceBytes);
    }
    return found === `${seq}:${crc32(bytes)}-${bytes.byteLength}` ? bytes : undefined;
  }

  async fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    const [, answers] = await this.#steps.runKnown(fenceScript, execution, [
      ...this.#steps.number(),
      ...channels.map(String),
    ]);
    return listOf(answers).map((answer, index) => {
      const [generation, lastSeq, checkpoints] = listOf(answer);
      const channel = channels[index] ?? 0;
      const fenced = {
        channel,
        generation: numberOf(generation),
        lastSeq: numberOf(lastSeq),
        checkpoints: seqsOf(checkpoints),
      };
      this.#steps.fenced(execution, fenced);
      return fenced;
    });
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    const args = [String(channel), String(recordsThrough), String(checkpointsBefore)];
    await this.#steps.runKnown(freeScript, execution, args);
  }

  async countFailure(execution: string, channel: number, seq: number, cause: string): Promise<number> {
    const args = [...this.#steps.number(), String(channel), String(seq), cause];
    const [, count] = await this.#steps.runKnown(failureScript, execution, args);
    return numberOf(count);
  }

  async progress(execution: string, channel: number): Promise<ChannelProgress> {
    const [, generation, lastSeq, checkpoints] = await this.#steps.runKnown(progressScript, execution, [
      String(channel),
    ]);
    return {
      generation: numberOf(generation),
      lastSeq: numberOf(lastSeq),
      checkpoint: seqsOf(checkpoints).at(-1) ?? -1,
    };
  }

  async bytesHeld(): Promise<number> {
    const [, names] = await this.#steps.run(listScript, "", []);
    let bytes = 0;
    for (const name of listOf(names)) {
      // oxlint-disable-next-line no-await-in-loop -- commits go between them
      const [state, held] = await this.#steps.run(bytesScript, textOf(name), []);
      if (state === "ok") bytes += numberOf(held);
    }
    return bytes;
  }

  async close(): Promise<void> {
    this.#steps.close();
  }
}

/** As many commits as one script is given: at least one. */
function takeCommits(commits: readonly ChannelCommit[], from: number): readonly ChannelCommit[] {
  let bytes = 0;
  for (let at = from; at < commits.length; at++) {
    for (const record of commits[at]?.records ?? []) bytes += record.byteLength;
    if (bytes > commitBytesMax && at > from) return commits.slice(from, at);
  }
  return commits.slice(from);
}

function piecesOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / pieceBytes));
}
