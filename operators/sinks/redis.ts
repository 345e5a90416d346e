import type { Context } from "../../lib/core/contracts/context.ts";
import type { OutputSink, SinkChannel } from "../../lib/core/contracts/sink.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { checkOptionNames, namesOf } from "../../lib/core/option-names.ts";
import { HeldTasks, type HeldTask } from "./held-tasks.ts";
import { piecesOf, type Piece, type RedisValue, type ToEntry } from "./redis/commands.ts";
import { RedisConnection, serverOf } from "./redis/connection.ts";
import { writeScript, writeScriptHash } from "./redis/write-script.ts";
import { rowsIn } from "./rows-in.ts";

export type { RedisValue } from "./redis/commands.ts";

interface RedisOptions {
  /** Milliseconds that the server may be away or not answer, before the execution fails. Default 30,000. */
  readonly waitMs?: number;
  /** Beginning of the key under which channels keep how far they have come. Default `qstream:sink:`. */
  readonly marks?: string;
}

/** Entries of one stream. */
export interface RedisStreamOptions<T> extends RedisOptions {
  /** Key of the stream. */
  readonly stream: string;
  /** Fields of an object's entry. Default: its properties; what is null or undefined is left out. */
  readonly fields?: (object: T) => Readonly<Record<string, RedisValue | null | undefined>>;
  /** Entries that the stream keeps at least, when older ones are removed. Default: none is removed. */
  readonly maxLength?: number;
}

/** Fields of one hash. */
export interface RedisHashOptions<T> extends RedisOptions {
  /** Key of the hash. */
  readonly hash: string;
  /** The field of an object; a later object with the same one takes its place. */
  readonly key: (object: T) => string;
  /** What is in the field. Default: the object as JSON. */
  readonly value?: (object: T) => RedisValue;
}

/** A hash for each object. */
export interface RedisKeysOptions<T> extends RedisOptions {
  /** Key of an object's hash; a later object with the same one writes its fields over it. */
  readonly keys: (object: T) => string;
  /** Fields of an object's hash. Default: its properties; what is null or undefined is left out. */
  readonly fields?: (object: T) => Readonly<Record<string, RedisValue | null | undefined>>;
}

/** Options of `writeRedis`: where objects go. */
export type WriteRedisOptions<T> = RedisStreamOptions<T> | RedisHashOptions<T> | RedisKeysOptions<T>;

/** What `writeRedis` wrote. */
export interface RedisWritten {
  readonly objects: number;
}

/** The names of its options. */
export const writeRedisOptionNames: readonly string[] = namesOf<WriteRedisOptions<unknown>>({
  waitMs: true,
  marks: true,
  stream: true,
  hash: true,
  keys: true,
  key: true,
  value: true,
  fields: true,
  maxLength: true,
});

/**
 * Writes objects, or the rows of Arrow tables and Polars frames, to Redis (6.2 or later, one primary): to a stream, to the
 * fields of a hash, or to a hash each. Numbers, bigints and booleans are text, dates ISO 8601, Uint8Arrays bytes; a whole
 * object is JSON where nothing else is asked for. Idempotent: a task's objects are written once the lineage log has the task, together with the
 * task's number, so that a task that is repeated writes nothing. They are seen at once: an execution that fails has written what came before.
 *
 * @param url - redis://[user:password@]host:port/db, or rediss:// for TLS; user and password are shown nowhere
 * @param options - `stream`, or `hash` and `key`, or `keys`; `fields` or `value`; `maxLength`; `waitMs`
 * @returns the sink; its result counts the objects
 * @throws QStreamError OPTION_INVALID; STORE_UNAVAILABLE where it is away for longer than `waitMs`; STORE_REFUSED where it
 *   refuses writes (no memory, a replica, no rights); STORE_LOST where it has forgotten what it had written; BAD_INPUT
 * @example
 * writeRedis<Order>("redis://localhost:6379", { stream: "orders", fields: ({ id, total }) => ({ id, total }) });
 * writeRedis<Count>("redis://localhost:6379/1", { hash: "words", key: ({ key }) => key, value: ({ value }) => value });
 */
export function writeRedis<T>(url: string, options: WriteRedisOptions<T>): OutputSink<T, RedisWritten> {
  checkOptionNames("writeRedis()", options, writeRedisOptionNames);
  const server = serverOf(url);
  const { waitMs = 30_000, marks = "qstream:sink:" } = options;
  if (!(waitMs > 0 && waitMs < 2 ** 31)) {
    throw new QStreamError("OPTION_INVALID", "redis: waitMs must be a number of milliseconds from 1 to 2^31");
  }
  const target = targetOf(options as WriteRedisOptions<unknown>);
  return {
    kind: "redis",
    options: { server, waitMs, marks, ...target.options },
    guarantee: "idempotent",
    placement: "per-slot",
    open: async (ctx) => {
      const connection = await RedisConnection.open({ url, server, waitMs });
      return new RedisChannel({ connection, server, target, marks: `${marks}${ctx.execution}` }, ctx);
    },
    result: (parts) => ({ objects: parts.reduce<number>((sum, part) => sum + ((part as number | undefined) ?? 0), 0) }),
  };
}

interface Target {
  readonly mode: "stream" | "hash";
  readonly maxLength: number;
  readonly toEntry: ToEntry;
  readonly options: Readonly<Record<string, unknown>>;
}

function targetOf(options: WriteRedisOptions<unknown>): Target {
  const given = ["stream", "hash", "keys"].filter(
    (name) => (options as unknown as Record<string, unknown>)[name] !== undefined,
  );
  if (given.length !== 1) {
    throw new QStreamError(
      "OPTION_INVALID",
      `redis: ${given.length === 0 ? "no target is" : `${given.join(" and ")} are`} given`,
      {
        advice: "Give stream, or hash and key, or keys.",
      },
    );
  }
  if ("stream" in options) return streamTarget(options);
  if ("hash" in options) return hashTarget(options);
  const { keys, fields = properties } = options;
  refuseNoFunction("keys", keys);
  const described = { keys: "function", fields: options.fields && "function" };
  return {
    mode: "hash",
    maxLength: 0,
    options: described,
    toEntry: (object) => ({ key: keys(object), fields: fields(object) }),
  };
}

function streamTarget(options: RedisStreamOptions<unknown>): Target {
  const { stream, fields = properties, maxLength = 0 } = options;
  if (!(Number.isInteger(maxLength) && maxLength >= 0)) {
    throw new QStreamError("OPTION_INVALID", "redis: maxLength must be a whole number from 1");
  }
  const described = { stream, maxLength, fields: options.fields && "function" };
  return {
    mode: "stream",
    maxLength,
    options: described,
    toEntry: (object) => ({ key: stream, fields: fields(object) }),
  };
}

function hashTarget(options: RedisHashOptions<unknown>): Target {
  const { hash, key, value = (object) => object } = options;
  refuseNoFunction("key", key);
  const described = { hash, key: "function", value: options.value && "function" };
  return {
    mode: "hash",
    maxLength: 0,
    options: described,
    toEntry: (object) => ({ key: hash, fields: { [key(object)]: value(object) } }),
  };
}

function refuseNoFunction(name: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new QStreamError("OPTION_INVALID", `redis: ${name} must be a function from an object to a text`);
}

function properties(object: unknown): Readonly<Record<string, never>> {
  if (typeof object === "object" && object !== null && !Array.isArray(object)) return object as Record<string, never>;
  throw new QStreamError(
    "BAD_INPUT",
    `redis: ${Array.isArray(object) ? "an array" : `a ${typeof object}`} has no fields`,
    {
      advice: "Set the option fields: (object) => ({ value: object }).",
    },
  );
}

/** A checkpoint: what the channel has written, and where it was. */
interface RedisState {
  readonly objects: number;
  readonly position: number;
}

interface RedisChannelParts {
  readonly connection: RedisConnection;
  readonly server: string;
  readonly target: Target;
  /** Key of the hash with the positions of all channels of the execution. */
  readonly marks: string;
}

// A position is a task's number and the number of a piece in it. 2^32 tasks of 2^20 pieces are exact.
const piecesMax = 2 ** 20;
/** Seconds for which positions stay after the commit: for as long a paused life that wakes up writes nothing. */
const marksSeconds = 86_400;

/** What a task has yet to write: its functions have been called in the task, for what they throw to be its failure. */
interface RedisTask extends HeldTask {
  readonly pieces: readonly Piece[];
}

class RedisChannel implements SinkChannel<unknown> {
  readonly #parts: RedisChannelParts;
  readonly #ctx: Pick<Context, "step" | "channel" | "signal">;
  readonly #held: HeldTasks<RedisTask>;
  #objects = 0;
  /** What Redis has confirmed. */
  #position = 0;
  #closed = false;

  constructor(parts: RedisChannelParts, { step, channel, signal }: Context) {
    this.#parts = parts;
    this.#ctx = { step, channel, signal };
    this.#held = new HeldTasks((task) => this.#deliver(task), signal);
  }

  async write(batchesOrObjects: readonly unknown[], { seq }: Context): Promise<void> {
    await this.#held.room();
    const pieces = [...piecesOf(await rowsIn(batchesOrObjects), this.#parts.target.toEntry)];
    if (pieces.length >= piecesMax) {
      throw new QStreamError("LIMIT_EXCEEDED", "redis: a task has too many objects", {
        advice: "Make smaller parcels.",
      });
    }
    this.#held.hold({ seq, pieces });
  }

  committed(seq: number): Promise<void> {
    return this.#held.committed(seq);
  }

  async done(): Promise<number> {
    await this.#held.delivered();
    return this.#objects;
  }

  /** Where it is when all that came before is written. */
  async snapshot(): Promise<RedisState> {
    await this.#held.delivered();
    return { objects: this.#objects, position: this.#position };
  }

  restore({ objects, position }: RedisState): void {
    this.#objects = objects;
    this.#position = position;
  }

  /** Everything is written: positions are needed only by a life that is late, and go by themselves. */
  async commit(): Promise<void> {
    if (this.#closed) return;
    const { connection, marks } = this.#parts;
    await connection.ask((client) => client.expire(marks, marksSeconds), new AbortController().signal);
    this.abort();
  }

  /** What was written stays. */
  abort(): void {
    this.leave();
  }

  leave(): void {
    this.#closed = true;
    this.#parts.connection.close();
  }

  async #deliver({ seq, pieces }: RedisTask): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- a position says that all before it is written
      await this.#send(piece, seq * piecesMax + index + 1);
    }
  }

  async #send({ args, objects }: Piece, position: number): Promise<void> {
    const { connection, server, target, marks } = this.#parts;
    const { step, channel, signal } = this.#ctx;
    const head = [
      `${step}/${channel}`,
      String(position),
      String(this.#position),
      target.mode,
      String(target.maxLength),
    ];
    const given = { keys: [marks], arguments: [...head, ...args] };
    const answer = await connection.ask(async (client) => {
      try {
        return await client.evalSha(writeScriptHash, given);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return client.eval(writeScript, given);
      }
    }, signal);
    if (answer === -1) {
      throw new QStreamError("STORE_LOST", `the Redis ${server} has forgotten what was written to it`, {
        step,
        channel,
        advice:
          "It was restarted without persistence, emptied, or failed over to a replica that was behind: run the flow again.",
      });
    }
    this.#position = position;
    this.#objects += objects;
  }
}
