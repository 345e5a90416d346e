import { QStreamError } from "../../lib/core/errors.ts";
import { delay, systemClock } from "../../lib/core/seam/clock.ts";
import { redisError, serverOf, storeAway, storeRefused } from "./redis-errors.ts";
import type { RedisScript } from "./redis-scripts.ts";

type Redis = typeof import("redis");
type Client = ReturnType<Redis["createClient"]>;

/** What Redis answers to a script: strings as bytes. */
export type RedisReply = Buffer | string | number | null | readonly RedisReply[];
export type RedisArgument = string | Buffer;

/** Sends one command over a connection that has just been made. */
export type Ask = (args: readonly RedisArgument[]) => Promise<RedisReply>;

export interface RedisConnectionOptions {
  readonly url: URL;
  /** Milliseconds that making a connection may take. */
  readonly connectTimeoutMs: number;
  /** Milliseconds after which a command counts as unanswered. */
  readonly commandTimeoutMs: number;
  /** Looks at the server of a new connection before anything else is asked of it. */
  readonly greet: (ask: Ask) => Promise<void>;
}

/**
 * One connection to a Redis. It is made again when a command needs it, and nothing is ever queued for a server that is away: what
 * was queued could meet another one. A command whose answer doesn't come in time takes its connection with it.
 */
export class RedisConnection {
  readonly server: string;
  readonly #options: RedisConnectionOptions;
  readonly #redis: Redis;
  #client: Promise<Client> | undefined;
  #closed = false;

  private constructor(options: RedisConnectionOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.server = serverOf(options.url);
  }

  /** @throws QStreamError PACKAGE_MISSING, STORE_UNAVAILABLE, STORE_REFUSED */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    let redis: Redis;
    try {
      redis = await import("redis");
    } catch (cause) {
      throw new QStreamError("PACKAGE_MISSING", "a store in Redis needs the package redis", {
        advice: "Install it: npm install redis",
        cause,
      });
    }
    const connection = new RedisConnection(options, redis);
    await connection.#connected();
    return connection;
  }

  /** @throws QStreamError STORE_UNAVAILABLE, STORE_REFUSED, and what `greet` throws */
  async run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<RedisReply> {
    const rest = [String(keys.length), ...keys, ...args];
    const client = await this.#connected();
    try {
      return await this.#ask(client, ["EVALSHA", script.sha1, ...rest]);
    } catch (error) {
      // A server that was started again knows no script.
      if (!(error instanceof this.#redis.ErrorReply) || !error.message.startsWith("NOSCRIPT")) throw this.#error(error);
    }
    try {
      return await this.#ask(client, ["EVAL", script.text, ...rest]);
    } catch (error) {
      throw this.#error(error);
    }
  }

  close(): void {
    this.#closed = true;
    const client = this.#client;
    this.#client = undefined;
    client?.then(
      (open) => destroy(open),
      () => {},
    );
  }

  #connected(): Promise<Client> {
    if (this.#closed) return Promise.reject(new QStreamError("SESSION_CLOSED", `the store ${this.server} is closed`));
    const dialing = (this.#client ??= this.#dial());
    dialing.catch(() => this.#forget(dialing));
    return dialing;
  }

  async #dial(): Promise<Client> {
    const { url, connectTimeoutMs, greet } = this.#options;
    const client: Client = this.#redis.createClient({
      url: url.href,
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: "disabled",
      socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
    });
    // Without a listener the process would end; the command that fails says what it was.
    client.on("error", () => {});
    try {
      // A server that is stopped takes connections, and never says a word.
      await this.#inTime(client.connect(), connectTimeoutMs, `let nobody in for ${connectTimeoutMs} ms`);
      await greet((args) => this.#ask(client, args));
    } catch (error) {
      destroy(client);
      throw this.#error(error);
    }
    if (this.#closed) destroy(client);
    const dialed = this.#client;
    client.once("end", () => this.#forget(dialed));
    client.once("error", () => this.#forget(dialed));
    return client;
  }

  async #ask(client: Client, args: readonly RedisArgument[]): Promise<RedisReply> {
    const { commandTimeoutMs } = this.#options;
    const typeMapping = { [this.#redis.RESP_TYPES.BLOB_STRING]: Buffer };
    try {
      const answer = client.sendCommand<RedisReply>(args, { typeMapping });
      return await this.#inTime(answer, commandTimeoutMs, `gave no answer for ${commandTimeoutMs} ms`);
    } catch (error) {
      if (!(error instanceof this.#redis.ErrorReply)) destroy(client);
      throw error;
    }
  }

  /** The next command makes another connection. */
  #forget(client: Promise<Client> | undefined): void {
    if (this.#client === client) this.#client = undefined;
  }

  async #inTime<T>(answer: Promise<T>, timeoutMs: number, what: string): Promise<T> {
    const waiting = new AbortController();
    const late = patience(timeoutMs, waiting.signal).then(
      () => Promise.reject(storeAway(this.server, what)),
      // It was answered in time: the race is over.
      () => new Promise<never>(() => {}),
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      waiting.abort();
    }
  }

  #error(error: unknown): QStreamError {
    return redisError(this.server, error, error instanceof this.#redis.ErrorReply);
  }
}

/** What a server says of itself. */
export interface RedisServerState {
  readonly runId: string;
}

const versionMin = [6, 2] as const;

/**
 * Reads what a server says of itself, and refuses one that can't keep lineage.
 *
 * @throws QStreamError STORE_REFUSED
 */
export async function checkServer(ask: Ask, server: string): Promise<RedisServerState> {
  const info = String(await ask(["INFO"]));
  const value = (name: string): string => new RegExp(`^${name}:(.*)$`, "mu").exec(info)?.[1]?.trim() ?? "";
  const version = value("redis_version");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (version !== "" && (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1]))) {
    throw storeRefused(server, `has version ${version}`, `Lineage needs ${versionMin.join(".")} or later`);
  }
  if (value("role") === "slave") throw storeRefused(server, "is a read-only replica", "Give the URL of the primary");
  if (value("redis_mode") === "cluster") {
    throw storeRefused(
      server,
      "is part of a cluster",
      "Lineage needs one primary: give a server that isn't part of one",
    );
  }
  const policy = value("maxmemory_policy");
  // The others evict only keys that expire; those of the store don't.
  if (policy.startsWith("allkeys-")) {
    throw storeRefused(server, `removes keys when memory is short (maxmemory-policy ${policy})`, evictingAdvice);
  }
  return { runId: value("run_id") };
}

const evictingAdvice = "Set its maxmemory-policy to noeviction: lineage that is evicted is lost";

/**
 * Waits in parts. While this process is held up, one part passes, however long it lasts; in those that are left it can take an
 * answer that came meanwhile.
 */
async function patience(timeoutMs: number, signal: AbortSignal): Promise<void> {
  for (let part = 0; part < patienceParts; part++) await delay(systemClock, timeoutMs / patienceParts, signal);
}

const patienceParts = 4;

function destroy(client: Client): void {
  if (client.isOpen) client.destroy();
}
