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
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { freshId } from "../../lib/core/seam/random.ts";
import { RedisAcknowledged } from "./redis-acknowledged.ts";
import {
  checkRedisUrl,
  checkServer,
  RedisConnection,
  type Ask,
  type RedisArgument,
  type RedisReply,
} from "./redis-connection.ts";
import { storeAway, storeLost } from "./redis-errors.ts";
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
  markScript,
  progressScript,
  readScript,
  saveScript,
  statusScript,
  type RedisScript,
} from "./redis-scripts.ts";
import { executionExists, executionUnknown, noSuchChannel, notCommitted } from "./store-errors.ts";

export interface RedisStoreOptions {
  /** Milliseconds that connecting may take. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds after which a command that has no answer ends in STORE_UNAVAILABLE. Default 5000. */
  readonly commandTimeoutMs?: number;
}

const timeoutMsDefault = 5000;
/** A checkpoint is written in pieces of this size, so that nobody's commit waits for all of it. */
const pieceBytes = 1 << 20;
const checkpointBytesMax = 512 << 20;
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
  const { url, root } = checkRedisUrl(text);
  const store = new RedisStore(root);
  await store.connect(url, options);
  return store;
}

class RedisStore implements LineageStore {
  readonly kind = "redis";
  readonly #root: string;
  readonly #caller = freshId("caller");
  readonly #acknowledged = new RedisAcknowledged();
  #connection: RedisConnection | undefined;
  /** What the server holds for as long as it is the one that we wrote to. */
  #mark: string | undefined;
  #runId = "";
  #calls = 0;
  #lost: QStreamError | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async connect(url: URL, options: RedisStoreOptions): Promise<void> {
    const { connectTimeoutMs = timeoutMsDefault, commandTimeoutMs = timeoutMsDefault } = options;
    checkMs("connectTimeoutMs", connectTimeoutMs);
    checkMs("commandTimeoutMs", commandTimeoutMs);
    const server = `${url.protocol}//${url.host}`;
    const greet = (ask: Ask): Promise<void> => this.#greet(ask, server);
    this.#connection = await RedisConnection.open({ url, connectTimeoutMs, commandTimeoutMs, greet });
  }

  async create(execution: string, description: Uint8Array, channels: number, createdAt: number): Promise<void> {
    const args = [bufferOf(description), String(channels), String(createdAt), execution];
    const [state] = await this.#run(createScript, execution, args);
    if (state === "exists") throw executionExists(execution);
  }

  async find(execution: string): Promise<StoredExecution | undefined> {
    const [state, found] = await this.#run(findScript, execution, []);
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
    const [, names] = await this.#run(listScript, "", []);
    const found: StoredExecution[] = [];
    for (const name of listOf(names)) {
      // oxlint-disable-next-line no-await-in-loop -- descriptions may be large: one after the other
      const stored = await this.find(textOf(name));
      if (stored !== undefined) found.push(stored);
    }
    return found;
  }

  async setStatus(execution: string, status: ExecutionStatus): Promise<void> {
    await this.#runKnown(statusScript, execution, [...this.#call(), status]);
    if (status !== "running") this.#acknowledged.forget(execution);
  }

  async drop(execution: string): Promise<void> {
    await this.#run(dropScript, execution, [execution]);
    this.#acknowledged.forget(execution);
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
      const [, states] = await this.#runKnown(commitScript, execution, [String(some.length), ...args]);
      for (const [index, state] of listOf(states).entries()) {
        const answer = textOf(state) === "committed" ? "committed" : "fenced";
        if (answer === "committed") this.#acknowledged.committed(execution, some[index] as ChannelCommit);
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
    const [, first, records] = await this.#runKnown(readScript, execution, args);
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
        advice: "A store in Redis takes 512 MiB: give the step more channels, or keep lineage in lmdb:<folder>",
      });
    }
    const name = `${seq}:${crc32(bytes)}-${bytes.byteLength}`;
    const pieces = piecesOf(bytes.byteLength);
    for (let piece = 0; piece < pieces; piece++) {
      const part = bufferOf(bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes));
      const last = piece === pieces - 1 ? pieces : 0;
      const args = [String(channel), String(generation), String(seq), name, String(piece), part, String(last)];
      // oxlint-disable-next-line no-await-in-loop -- commits go between the pieces
      const [, answer] = await this.#runKnown(saveScript, execution, args);
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
      const [, name, part] = await this.#runKnown(loadScript, execution, args);
      if (!(part instanceof Buffer)) return undefined;
      found = textOf(name);
      bytes ??= new Uint8Array(Number(found.split("-")[1]));
      if (piece * pieceBytes + part.byteLength > bytes.byteLength) return undefined;
      bytes.set(part, piece * pieceBytes);
    }
    return found === `${seq}:${crc32(bytes)}-${bytes.byteLength}` ? bytes : undefined;
  }

  async fence(execution: string, channels: readonly number[]): Promise<readonly FencedChannel[]> {
    const [, answers] = await this.#runKnown(fenceScript, execution, [...this.#call(), ...channels.map(String)]);
    return listOf(answers).map((answer, index) => {
      const [generation, lastSeq, checkpoints] = listOf(answer);
      const channel = channels[index] ?? 0;
      const fenced = {
        channel,
        generation: numberOf(generation),
        lastSeq: numberOf(lastSeq),
        checkpoints: seqsOf(checkpoints),
      };
      this.#acknowledged.fenced(execution, fenced);
      return fenced;
    });
  }

  async free(execution: string, channel: number, recordsThrough: number, checkpointsBefore: number): Promise<void> {
    const args = [String(channel), String(recordsThrough), String(checkpointsBefore)];
    await this.#runKnown(freeScript, execution, args);
  }

  async countFailure(execution: string, channel: number, seq: number): Promise<number> {
    const args = [...this.#call(), String(channel), String(seq)];
    const [, count] = await this.#runKnown(failureScript, execution, args);
    return numberOf(count);
  }

  async progress(execution: string, channel: number): Promise<ChannelProgress> {
    const [, generation, lastSeq, checkpoints] = await this.#runKnown(progressScript, execution, [String(channel)]);
    return {
      generation: numberOf(generation),
      lastSeq: numberOf(lastSeq),
      checkpoint: seqsOf(checkpoints).at(-1) ?? -1,
    };
  }

  async bytesHeld(): Promise<number> {
    const [, names] = await this.#run(listScript, "", []);
    let bytes = 0;
    for (const name of listOf(names)) {
      // oxlint-disable-next-line no-await-in-loop -- commits go between them
      const [state, held] = await this.#run(bytesScript, textOf(name), []);
      if (state === "ok") bytes += numberOf(held);
    }
    return bytes;
  }

  async close(): Promise<void> {
    this.#connection?.close();
  }

  /** Numbers a call that must not be done after the next one of its kind. */
  #call(): readonly [string, string] {
    return [this.#caller, String(++this.#calls)];
  }

  async #runKnown(
    script: RedisScript,
    execution: string,
    args: readonly RedisArgument[],
  ): Promise<readonly RedisReply[]> {
    const answer = await this.#run(script, execution, args);
    if (answer[0] === "unknown") throw executionUnknown(execution);
    return answer;
  }

  async #run(script: RedisScript, execution: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    if (this.#lost !== undefined) throw this.#lost;
    const connection = this.#connection;
    invariant(connection !== undefined, "a store that isn't connected was used");
    const keys = [this.#root, `${this.#root}{${execution}}:`];
    const [first, ...rest] = listOf(await connection.run(script, keys, [this.#mark ?? "", ...args]));
    const state = textOf(first);
    const channel = numberOf(rest[0] ?? -1);
    switch (state) {
      case "lost":
        throw this.#lose(connection.server, emptied);
      case "forgot":
        throw this.#lose(connection.server, forgot);
      case "damaged":
        throw this.#lose(connection.server, "lacks keys of an execution: they were evicted, or removed by somebody");
      case "gap":
        if (this.#acknowledged.lastSeq(execution, channel) > numberOf(rest[1]))
          throw this.#lose(connection.server, forgot);
        throw notCommitted(channel, numberOf(rest[1]));
      case "range":
        throw noSuchChannel(execution, channel);
      case "stale":
        throw storeAway(connection.server, "did a later call before this one");
      default:
        return [state, ...rest];
    }
  }

  /** Looks whether a new connection leads to the server that we know, and whether it still has what it said it had. */
  async #greet(ask: Ask, server: string): Promise<void> {
    const { runId } = await checkServer(ask, server);
    // Only the first connection may leave a mark: a server without it isn't the one that we know.
    this.#mark ??= textOf(await ask(["EVAL", markScript.text, "1", this.#root, freshId("store")]));
    const mark = textOf(await ask(["GET", `${this.#root}store`]));
    if (mark !== this.#mark) throw this.#lose(server, emptied);
    if (this.#runId !== "" && runId !== this.#runId) {
      for (const { execution, channel, lastSeq, generation } of this.#acknowledged.all()) {
        const keys = [this.#root, `${this.#root}{${execution}}:`];
        const args = [progressScript.text, String(keys.length), ...keys, mark, String(channel)];
        // oxlint-disable-next-line no-await-in-loop -- a server that starts again is met seldom
        const [state, has, last] = listOf(await ask(["EVAL", ...args]));
        // Somebody else may have removed the execution.
        if (textOf(state) === "unknown") continue;
        if (textOf(state) !== "ok" || numberOf(has) < generation || numberOf(last) < lastSeq)
          throw this.#lose(server, forgot);
      }
    }
    this.#runId = runId;
  }

  /** From now on every call ends so: what the server has isn't what was written. */
  #lose(server: string, what: string): QStreamError {
    this.#lost ??= storeLost(server, what);
    return this.#lost;
  }
}

const emptied = "is another one than before, or was emptied";
const forgot = "has forgotten what it had confirmed: it lost its tail when it ended, or a replica took over";

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

function checkMs(name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new QStreamError("OPTION_INVALID", `${name}: ${value} is no number of milliseconds above 0`);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : [];
}

function textOf(reply: RedisReply | undefined): string {
  return reply instanceof Buffer ? reply.toString() : typeof reply === "string" ? reply : "";
}

function numberOf(reply: RedisReply | undefined): number {
  return typeof reply === "number" ? reply : Number(textOf(reply));
}

/** Bytes of their own: replies are cut from larger ones. */
function bytesOf(reply: RedisReply | undefined): Uint8Array {
  return reply instanceof Buffer ? new Uint8Array(reply) : new Uint8Array();
}

function seqsOf(reply: RedisReply | undefined): number[] {
  return listOf(reply)
    .map((seq) => Number(textOf(seq)))
    .toSorted((a, b) => a - b);
}
