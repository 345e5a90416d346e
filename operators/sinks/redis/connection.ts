import { QStreamError, type ErrorDetails } from "../../../lib/core/errors.ts";
import { delay, systemClock } from "../../../lib/core/seam/clock.ts";

type Redis = typeof import("redis");
type Client = ReturnType<Redis["createClient"]>;

/** A Redis as a sink reaches it. */
export interface RedisConnectionOptions {
  /** With user and password. */
  readonly url: string;
  /** Without them: what messages say. */
  readonly server: string;
  /** Milliseconds that it may be away. */
  readonly waitMs: number;
}

/** The server of a URL without user and password, which nobody may see. @throws QStreamError OPTION_INVALID */
export function serverOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== "redis:" && parsed.protocol !== "rediss:") || parsed.host === "") {
    // The text isn't shown: a password may be in it.
    throw new QStreamError("OPTION_INVALID", "redis: the URL isn't one of a Redis server", {
      advice: "Write redis://[user:password@]host:port/db, or rediss:// for TLS.",
    });
  }
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

const pauseMs = 100;
const connectMsMax = 5000;

/** A connection that outlasts a server's restart: what is asked is asked again until it answers, or the time is over. */
export class RedisConnection {
  readonly #options: RedisConnectionOptions;
  readonly #client: Client;
  readonly #redis: Redis;
  /** When the server was first missed, on the clock's own time. */
  #missedAt: number | undefined;

  private constructor(options: RedisConnectionOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.#client = redis.createClient({
      url: options.url,
      socket: {
        connectTimeout: Math.min(connectMsMax, options.waitMs),
        reconnectStrategy: (_retries, cause) => (this.#isOver() ? cause : pauseMs),
      },
    });
    // Without a listener the process would end; the command that fails says what it was.
    this.#client.on("error", () => {});
  }

  /** @throws QStreamError PACKAGE_MISSING, STORE_UNAVAILABLE, STORE_REFUSED */
  static async open(options: RedisConnectionOptions): Promise<RedisConnection> {
    let redis: Redis;
    try {
      redis = await import("redis");
    } catch (cause) {
      throw new QStreamError("PACKAGE_MISSING", "writeRedis needs the package redis", {
        advice: "Install it: npm install redis.",
        cause,
      });
    }
    const connection = new RedisConnection(options, redis);
    try {
      await connection.#client.connect();
    } catch (error) {
      connection.close();
      throw connection.#asError(error);
    }
    connection.#missedAt = undefined;
    return connection;
  }

  /** Asks until there is an answer. What is asked may be done twice: it has to be such that this changes nothing. */
  async ask<T>(question: (client: Client) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      try {
        // oxlint-disable-next-line no-await-in-loop -- again and again is what it promises
        const answer = await this.#inTime(question(this.#client), signal);
        this.#missedAt = undefined;
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (!this.#client.isOpen || !this.#isPassing(error) || this.#isOver()) throw this.#asError(error);
      }
      // oxlint-disable-next-line no-await-in-loop -- see above
      await delay(systemClock, pauseMs, signal);
    }
  }

  close(): void {
    if (this.#client.isOpen) this.#client.destroy();
  }

  /** True for what ends by itself: a lost connection, a server that starts. */
  #isPassing(error: unknown): boolean {
    if (error instanceof QStreamError) return false;
    return !(error instanceof this.#redis.ErrorReply) || /^(LOADING|BUSY|MASTERDOWN|TRYAGAIN)\b/u.test(error.message);
  }

  #isOver(): boolean {
    const now = systemClock.monotonic();
    this.#missedAt ??= now;
    return now - this.#missedAt >= this.#options.waitMs;
  }

  /** A server that was stopped keeps its connections, and never answers. */
  async #inTime<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    const waiting = new AbortController();
    const stop = (): void => waiting.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const late = delay(systemClock, this.#options.waitMs, waiting.signal).then(() => {
        throw this.#refusal("STORE_UNAVAILABLE", `gave no answer for ${this.#options.waitMs} ms`, awayAdvice);
      });
      return await Promise.race([answer, late]);
    } finally {
      signal.removeEventListener("abort", stop);
      waiting.abort();
    }
  }

  #asError(error: unknown): QStreamError {
    if (error instanceof QStreamError) return error;
    const message = error instanceof Error ? error.message : String(error);
    for (const [sign, what, advice] of refusals) {
      if (sign.test(message)) return this.#refusal("STORE_REFUSED", what, advice, error);
    }
    if (/\bWRONGTYPE\b/u.test(message)) {
      return this.#refusal("BAD_INPUT", "has something else under a key that is written", wrongTypeAdvice, error);
    }
    if (this.#isPassing(error) || !this.#client.isOpen) {
      return this.#refusal("STORE_UNAVAILABLE", `was away for ${this.#options.waitMs} ms`, awayAdvice, error);
    }
    return this.#refusal("STORE_REFUSED", `answered ${message}`, undefined, error);
  }

  #refusal(
    code: "STORE_UNAVAILABLE" | "STORE_REFUSED" | "BAD_INPUT",
    what: string,
    advice: string | undefined,
    cause?: unknown,
  ): QStreamError {
    const details: ErrorDetails = {
      ...(advice === undefined ? {} : { advice }),
      ...(cause === undefined ? {} : { cause }),
    };
    return new QStreamError(code, `the Redis ${this.#options.server} ${what}`, details);
  }
}

const awayAdvice = "Check that it runs and can be reached, or set waitMs to a longer time.";
const wrongTypeAdvice = "Remove the key, or write to another one.";

const refusals: readonly (readonly [RegExp, string, string])[] = [
  [/\bOOM\b/u, "has no memory left", "Raise its maxmemory, or write less: maxLength bounds a stream."],
  [/\bREADONLY\b/u, "is a read-only replica", "Give the URL of the primary."],
  [/\bMISCONF\b/u, "can't save to its disk, and refuses writes", "See its log; free space on its disk."],
  [/\b(NOAUTH|WRONGPASS|NOPERM)\b/u, "doesn't let this user in", "Check user, password and rights in the URL."],
];
