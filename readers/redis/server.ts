import { QStreamError } from "../../lib/core/errors.ts";
import { delay, systemClock } from "../../lib/core/seam/clock.ts";
import { labelOf, parseServerUrl } from "../live/address.ts";
import { abortReason, onAbort, throwIfAborted } from "../live/closable.ts";

/** A Redis server and database, as a URL names it. */
export interface RedisAddress {
  /** For messages and fingerprints: no user, no password. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const portDefault = 6379;

/** Parses `redis://[user:password@]host[:port][/database]`, or `rediss://`, which is TLS. @throws OPTION_INVALID */
export function parseRedisUrl(url: string): RedisAddress {
  const parsed = parseServerUrl(url, ["redis:", "rediss:"]);
  const path = /^\/?(?<database>\d*)$/u.exec(parsed.pathname);
  if (path === null) {
    throw new QStreamError("OPTION_INVALID", "the path of a Redis URL is the number of a database", {
      advice: "Give one like redis://host:6379/0.",
    });
  }
  return {
    label: labelOf(parsed),
    host: parsed.hostname.replaceAll(/^\[|\]$/gu, ""),
    port: parsed.port === "" ? portDefault : Number(parsed.port),
    tls: parsed.protocol === "rediss:",
    database: Number(path.groups?.["database"]),
    username: decoded(parsed.username),
    password: decoded(parsed.password),
  };
}

function decoded(part: string): string | undefined {
  try {
    return part === "" ? undefined : decodeURIComponent(part);
  } catch {
    throw new QStreamError("OPTION_INVALID", "the user or password of the Redis URL isn't percent-encoded", {
      advice: "Encode them with encodeURIComponent.",
    });
  }
}

export interface RedisConnectionOptions {
  readonly signal: AbortSignal;
  /** Milliseconds for which a server that is away is tried again. */
  readonly retryMs: number;
  /** Milliseconds that a command may wait at the server. */
  readonly waitMs: number;
  /** Called each time the connection broke. */
  readonly lost?: () => void;
}

type RedisPackage = typeof import("redis");

/** What is used of a client. */
interface Client {
  sendCommand: (command: readonly string[]) => Promise<unknown>;
  destroy: () => void;
}

const connectMs = 5000;
const answerMs = 10_000;
const pauseMsFirst = 50;
const pauseMsMax = 2000;

/** Answers that mean that the same server may give another one later. */
const passing = /^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|UNBLOCKED|BUSY)\b/u;

/**
 * A connection for commands that only read, so that a command whose answer didn't come can be sent again. It is made when
 * it is needed, and made again when it broke, until the server was away for too long.
 */
export class RedisConnection {
  readonly #address: RedisAddress;
  readonly #options: RedisConnectionOptions;
  readonly #forget: () => void;
  #client: Client | undefined;

  constructor(address: RedisAddress, options: RedisConnectionOptions) {
    this.#address = address;
    this.#options = options;
    this.#forget = onAbort(options.signal, () => this.#drop());
  }

  /**
   * Sends commands in one go, and gives their answers; strings are Buffers. An answer that is an error of the server's own
   * is the element's, everything else is thrown.
   *
   * @throws QStreamError BAD_INPUT where the server is away or refuses the connection; the signal's reason
   */
  async ask(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    const { signal, retryMs, lost } = this.#options;
    const begun = systemClock.monotonic();
    for (let pauseMs = pauseMsFirst; ; pauseMs = Math.min(pauseMsMax, 2 * pauseMs)) {
      throwIfAborted(signal);
      try {
        // oxlint-disable-next-line no-await-in-loop -- tried again after it failed
        return await this.#askOnce(commands);
      } catch (error) {
        this.#drop();
        throwIfAborted(signal);
        if (error instanceof QStreamError) throw error;
        if (systemClock.monotonic() - begun + pauseMs > retryMs) throw this.#away(error);
        lost?.();
        // oxlint-disable-next-line no-await-in-loop -- the pause between two tries
        await delay(systemClock, pauseMs, signal);
      }
    }
  }

  close(): void {
    this.#forget();
    this.#drop();
  }

  async #askOnce(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    const { signal } = this.#options;
    const redis = await import("redis");
    this.#client ??= await orAbort(this.#connect(redis), signal);
    const client = this.#client;
    const own = (error: unknown): unknown => {
      if (!(error instanceof redis.ErrorReply) || passing.test(error.message)) throw error;
      return error;
    };
    return Promise.all(commands.map((command) => client.sendCommand(command).catch(own)));
  }

  async #connect(redis: RedisPackage): Promise<Client> {
    const { host, port, tls, database, username, password } = this.#address;
    const { waitMs, signal } = this.#options;
    const client = redis.createClient({
      RESP: 2,
      database,
      disableOfflineQueue: true,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      // A lost connection is this class's to mend. A server that hangs is noticed by its silence.
      socket: {
        host,
        port,
        ...(tls ? { tls } : {}),
        connectTimeout: connectMs,
        socketTimeout: waitMs + answerMs,
        reconnectStrategy: false,
      },
    });
    // What breaks a connection comes as the failure of a command, too.
    client.on("error", () => {});
    try {
      await client.connect();
    } catch (error) {
      client.destroy();
      throw error instanceof redis.ErrorReply && !passing.test(error.message) ? this.#refused(error) : error;
    }
    const raw = client.withTypeMapping({ [redis.RESP_TYPES.BLOB_STRING]: Buffer });
    // Nobody may want it any more by now.
    if (signal.aborted) client.destroy();
    return { sendCommand: (command) => raw.sendCommand([...command]), destroy: () => client.destroy() };
  }

  #drop(): void {
    this.#client?.destroy();
    this.#client = undefined;
  }

  #refused(cause: Error): QStreamError {
    return new QStreamError(
      "BAD_INPUT",
      `${this.#address.label} refused the connection: ${withoutStop(cause.message)}`,
      {
        advice: "Check user, password and database of the URL.",
        cause,
      },
    );
  }

  #away(cause: unknown): QStreamError {
    const reason = cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : "";
    return new QStreamError(
      "BAD_INPUT",
      `${this.#address.label} couldn't be reached for ${this.#options.retryMs} ms: ${reason}`,
      {
        advice: "Check that the server runs there; the reader's option retryMs says how long it is tried again.",
        cause,
      },
    );
  }
}

/** A server's message, for the middle of ours. */
export function withoutStop(message: string): string {
  return message.replace(/\.+$/u, "");
}

/** What a promise gives, or the reason of an abort that comes first. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // If nobody waits for it any more, its failure is nobody's.
  promise.catch(() => {});
  let forget = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    forget = onAbort(signal, () => reject(abortReason(signal)));
  });
  return Promise.race([promise, aborted]).finally(() => forget());
}
