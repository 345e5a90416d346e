import type { ChannelCommit, FencedChannel } from "../../lib/core/contracts/lineage-store.ts";
import { invariant, QStreamError } from "../../lib/core/errors.ts";
import { freshId } from "../../lib/core/seam/random.ts";
import { RedisAcknowledged } from "./redis-acknowledged.ts";
import { checkServer, RedisConnection, type Ask, type RedisArgument, type RedisReply } from "./redis-connection.ts";
import { serverOf, storeAway, storeLost } from "./redis-errors.ts";
import { listOf, numberOf, textOf } from "./redis-replies.ts";
import { markScript, progressScript, type RedisScript } from "./redis-scripts.ts";
import { checkRedisUrl } from "./redis-url.ts";
import { executionUnknown, noSuchChannel, notCommitted } from "./store-errors.ts";

export interface RedisStoreOptions {
  /** Milliseconds that connecting may take. Default 5000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds after which a command that has no answer ends in STORE_UNAVAILABLE. Default 5000. */
  readonly commandTimeoutMs?: number;
}

const timeoutMsDefault = 5000;
const emptied = "is another one than before, or was emptied";
const forgot = "has forgotten what it had confirmed: it lost its tail when it ended, or a replica took over";

/** The atomic steps of a store, done by one Redis: the one that it was opened on, with all that it has confirmed since. */
export class RedisSteps {
  readonly #root: string;
  readonly #server: string;
  readonly #caller = freshId("caller");
  readonly #acknowledged = new RedisAcknowledged();
  /** What the server holds for as long as it is the one that we wrote to. */
  #mark = "";
  #runId = "";
  #calls = 0;
  #connection: RedisConnection | undefined;
  #lost: QStreamError | undefined;

  private constructor(root: string, server: string) {
    this.#root = root;
    this.#server = server;
  }

  /** @throws QStreamError OPTION_INVALID, PACKAGE_MISSING, STORE_UNAVAILABLE, STORE_REFUSED */
  static async open(text: string, options: RedisStoreOptions): Promise<RedisSteps> {
    const { connectTimeoutMs = timeoutMsDefault, commandTimeoutMs = timeoutMsDefault } = options;
    checkMs("connectTimeoutMs", connectTimeoutMs);
    checkMs("commandTimeoutMs", commandTimeoutMs);
    const { url, root } = checkRedisUrl(text);
    const steps = new RedisSteps(root, serverOf(url));
    const greet = (ask: Ask): Promise<void> => steps.#greet(ask);
    steps.#connection = await RedisConnection.open({ url, connectTimeoutMs, commandTimeoutMs, greet });
    return steps;
  }

  /** Does a step of an execution that has to be there. @throws QStreamError EXECUTION_UNKNOWN, and what `run` throws */
  async runKnown(
    script: RedisScript,
    execution: string,
    args: readonly RedisArgument[],
  ): Promise<readonly RedisReply[]> {
    const answer = await this.run(script, execution, args);
    if (answer[0] === "unknown") throw executionUnknown(execution);
    return answer;
  }

  /** Does a step, whose answer begins with how it went. @throws QStreamError STORE_*, INTERNAL */
  async run(script: RedisScript, execution: string, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    if (this.#lost !== undefined) throw this.#lost;
    invariant(this.#connection !== undefined, "a store that isn't connected was used");
    const answer = await this.#connection.run(script, this.#keys(execution), [this.#mark, ...args]);
    const [first, ...rest] = listOf(answer);
    const state = textOf(first);
    const channel = numberOf(rest[0] ?? -1);
    switch (state) {
      case "lost":
        throw this.#lose(emptied);
      case "forgot":
        throw this.#lose(forgot);
      case "damaged":
        throw this.#lose("lacks keys of an execution: they were evicted, or removed by somebody");
      case "gap":
        if (this.#acknowledged.lastSeq(execution, channel) > numberOf(rest[1])) throw this.#lose(forgot);
        throw notCommitted(channel, numberOf(rest[1]));
      case "range":
        throw noSuchChannel(execution, channel);
      case "stale":
        throw storeAway(this.#server, "did a later call before this one");
      default:
        return [state, ...rest];
    }
  }

  /** Numbers a call that must not be done after the next one of its kind. */
  number(): readonly [string, string] {
    return [this.#caller, String(++this.#calls)];
  }

  /** Remembers what was confirmed. */
  committed(execution: string, commit: ChannelCommit): void {
    this.#acknowledged.committed(execution, commit);
  }

  /** @throws QStreamError STORE_LOST where less is there than was confirmed */
  fenced(execution: string, fenced: FencedChannel): void {
    if (fenced.lastSeq < this.#acknowledged.lastSeq(execution, fenced.channel)) throw this.#lose(forgot);
    this.#acknowledged.fenced(execution, fenced);
  }

  forget(execution: string): void {
    this.#acknowledged.forget(execution);
  }

  close(): void {
    this.#connection?.close();
  }

  #keys(execution: string): readonly string[] {
    return [this.#root, `${this.#root}{${execution}}:`];
  }

  /** Looks whether a new connection leads to the server that we know, and whether it still has what it said it had. */
  async #greet(ask: Ask): Promise<void> {
    const { runId } = await checkServer(ask, this.#server);
    // Only the first connection may leave a mark: a server without it isn't the one that we know.
    if (this.#mark === "") this.#mark = textOf(await ask(["EVAL", markScript.text, "1", this.#root, freshId("store")]));
    const mark = textOf(await ask(["GET", `${this.#root}store`]));
    if (mark !== this.#mark) throw this.#lose(emptied);
    if (this.#runId !== "" && runId !== this.#runId) await this.#compare(ask);
    this.#runId = runId;
  }

  /** Looks whether a server that was started anew has all that it had confirmed. */
  async #compare(ask: Ask): Promise<void> {
    for (const { execution, channel, lastSeq, generation } of this.#acknowledged.all()) {
      const args = [progressScript.text, "2", ...this.#keys(execution), this.#mark, String(channel)];
      // oxlint-disable-next-line no-await-in-loop -- a server that starts again is met seldom
      const [state, has, last] = listOf(await ask(["EVAL", ...args]));
      // Somebody else may have removed the execution.
      if (textOf(state) === "unknown") continue;
      const whole = textOf(state) === "ok" && numberOf(has) >= generation && numberOf(last) >= lastSeq;
      if (!whole) throw this.#lose(forgot);
    }
  }

  /** From now on every call ends so: what the server has isn't what was written. */
  #lose(what: string): QStreamError {
    this.#lost ??= storeLost(this.#server, what);
    return this.#lost;
  }
}

function checkMs(name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new QStreamError("OPTION_INVALID", `${name}: ${value} is no number of milliseconds above 0`);
}
