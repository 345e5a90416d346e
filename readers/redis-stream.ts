import type { Context } from "../lib/core/contracts/context.ts";
import { run, type Reader, type ReadFrom, type Run, type SplitRequest } from "../lib/core/contracts/reader.ts";
import { QStreamError } from "../lib/core/errors.ts";
import { checkChoice } from "./check-choice.ts";
import { checkNumber } from "./live/check-number.ts";
import { closable } from "./live/closable.ts";
import { decodeEntry, jsonOf, type RedisEntry, type RedisValues } from "./redis/entries.ts";
import { parseId } from "./redis/entry-id.ts";
import { readStream } from "./redis/read-stream.ts";
import { parseRedisUrl, RedisConnection, type RedisAddress } from "./redis/server.ts";
import { splitOf, type RedisBounds, type RedisSplit } from "./redis/stream-splits.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";

interface RedisStreamPlace {
  /** Keys of the streams. Each is read by one channel; streams without an end need a channel each. */
  readonly streams: string | readonly string[];
  /**
   * The first entry: "start" (default) for the oldest one, "end" for the first that is added after the flow started, an id,
   * or a time in milliseconds since 1970.
   */
  readonly from?: "start" | "end" | (string & {});
  /**
   * The last entry: "end" for the newest one when the flow starts, an id, or a time in milliseconds since 1970, which is
   * waited for. Without it, the reader waits for more entries until the execution is stopped.
   */
  readonly until?: "end" | (string & {});
  /** Entries fetched at once, at most; fewer if they are large. Default 1000. */
  readonly count?: number;
  /** Milliseconds that the server may hold back its answer when there is no entry. Default 5000. */
  readonly blockMs?: number;
  /** Milliseconds for which a server that can't be reached is tried again. Default 60,000; 0 fails at once. */
  readonly retryMs?: number;
}

/** Entries as objects, or what a function makes of them. */
export interface RedisStreamOptions<
  Values extends RedisValues = "text",
  T = RedisEntry<ValueIn<Values>>,
> extends RedisStreamPlace {
  /** Values of fields as text (default), which has to be UTF-8, or as bytes. */
  readonly values?: Values;
  /** Makes the object of an entry. It has to make the same one each time. */
  readonly map?: (entry: RedisEntry<ValueIn<Values>>) => T;
}

/** One field of each entry, which holds JSON. */
export interface RedisJsonOptions extends RedisStreamPlace {
  /** Name of the field. */
  readonly json: string;
}

/** The type of fields' values. */
export type ValueIn<Values extends RedisValues> = Values extends "bytes" ? Uint8Array : string;

const countDefault = 1000;
const blockMsDefault = 5000;
const retryMsDefault = 60_000;

const optionNames = namesOf<RedisStreamOptions | RedisJsonOptions>({
  streams: true,
  from: true,
  until: true,
  count: true,
  blockMs: true,
  retryMs: true,
  values: true,
  map: true,
  json: true,
});

/**
 * Reads Redis streams, entry by entry, in their order. Ids are the offsets, so that what was read can be read again, as long
 * as the stream keeps it: an entry that was trimmed before it was read, or is needed again, is NOT_RECOVERABLE. A lost
 * connection is made again, and reading goes on behind the last entry: none is skipped or comes twice.
 *
 * @param url - `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS; user and password are in no plan,
 * fingerprint or error
 * @param options - `streams`, what is read of them, and what objects are made
 * @returns a reader of `{ id, fields }`, or of what `map` or `json` makes of it; endless unless `until` is given
 * @throws QStreamError NOT_RECOVERABLE; PATH_NOT_FOUND for a stream that isn't there and isn't waited for; BAD_INPUT for a
 * server that refuses or is away for longer than `retryMs`, and for an entry that isn't as it should be
 * @example
 * q.read("orders", redisStream<Order>("redis://localhost", { streams: "orders", json: "data" }));
 * q.read("clicks", redisStream("redis://localhost", { streams: ["clicks:0", "clicks:1"], from: "end" }), { channels: 2 });
 */
export function redisStream<T = unknown>(url: string, options: RedisJsonOptions): Reader<T, RedisSplit>;
export function redisStream<Values extends RedisValues = "text", T = RedisEntry<ValueIn<Values>>>(
  url: string,
  options: RedisStreamOptions<Values, T>,
): Reader<T, RedisSplit>;
export function redisStream(
  url: string,
  options: RedisStreamOptions<RedisValues, unknown> & Partial<RedisJsonOptions>,
): Reader<unknown, RedisSplit> {
  checkOptionNames("redisStream()", options, optionNames);
  const address = parseRedisUrl(url);
  const streams = checkStreams(options.streams);
  const bounds = checkBounds(options);
  const { values = "text", json, map } = options;
  checkChoice("values", values, ["text", "bytes"]);
  checkNumber("count", options.count, 1);
  checkNumber("blockMs", options.blockMs, 1);
  checkNumber("retryMs", options.retryMs, 0);
  if (json !== undefined && (map !== undefined || values !== "text")) {
    throw new QStreamError("OPTION_INVALID", "json was given together with map or values", {
      advice: "Give json, or a map that parses what it wants.",
    });
  }
  const makes = json === undefined ? { values, map: map !== undefined } : { json };
  return {
    kind: "redis-stream",
    // What only says how fast is left out: a run that goes on with another setting reads the same.
    options: { server: address.label, streams, from: options.from ?? "start", until: options.until, ...makes },
    endless: bounds.until === undefined,
    splits: (request) => splitsOf(address, streams, bounds, options, request),
    read: (split, ctx, from) =>
      closable(ctx.signal, (signal) => readSplit({ address, split, from, options, ctx, signal })),
  };
}

function checkStreams(given: string | readonly string[]): readonly string[] {
  const streams = [given].flat();
  const usable = streams.length > 0 && streams.every((stream) => typeof stream === "string" && stream !== "");
  if (usable && new Set(streams).size === streams.length) return streams;
  throw new QStreamError("OPTION_INVALID", "streams has no key, an empty one, or one twice", {
    advice: 'Give keys of streams: streams: ["orders"].',
  });
}

function checkBounds(given: RedisStreamPlace): RedisBounds {
  const from: string = given.from ?? "start";
  const until: string | undefined = given.until;
  return {
    from: from === "start" || from === "end" ? from : { id: parseId("from", from, "first") },
    until: until === undefined || until === "end" ? until : { id: parseId("until", until, "last") },
  };
}

const placeOf = (stream: string, { label }: RedisAddress): string => `stream "${stream}" of ${label}`;

async function splitsOf(
  address: RedisAddress,
  streams: readonly string[],
  bounds: RedisBounds,
  options: RedisStreamPlace,
  { channels, signal }: SplitRequest,
): Promise<RedisSplit[]> {
  if (bounds.until === undefined && streams.length > channels) {
    throw new QStreamError("OPTION_INVALID", `${streams.length} streams would be read by ${channels} channels`, {
      advice: `A channel that waits for one stream never comes to the next: q.read(id, reader, { channels: ${streams.length} }).`,
    });
  }
  const connection = new RedisConnection(address, { signal, retryMs: options.retryMs ?? retryMsDefault, waitMs: 0 });
  try {
    const splits: RedisSplit[] = [];
    for (const stream of streams) {
      // oxlint-disable-next-line no-await-in-loop -- one connection, one question after the other
      const split = await splitOf(connection, stream, bounds, placeOf(stream, address));
      if (split !== undefined) splits.push(split);
    }
    return splits;
  } finally {
    connection.close();
  }
}

interface Reading {
  readonly address: RedisAddress;
  readonly split: RedisSplit;
  readonly from: ReadFrom | undefined;
  readonly options: RedisStreamOptions<RedisValues, unknown> & Partial<RedisJsonOptions>;
  readonly ctx: Context;
  readonly signal: AbortSignal;
}

async function* readSplit(reading: Reading): AsyncGenerator<Run<unknown>, void> {
  const { address, split, from, options, ctx, signal } = reading;
  const { values = "text", json, map, count = countDefault, blockMs = blockMsDefault } = options;
  const place = placeOf(split.stream, address);
  const connection = new RedisConnection(address, {
    signal,
    retryMs: options.retryMs ?? retryMsDefault,
    waitMs: blockMs,
    lost: () => ctx.count("reconnects"),
  });
  const make = (entry: RedisEntry<never>): unknown => {
    if (json !== undefined) return jsonOf(entry, json, place);
    return map === undefined ? entry : map(entry);
  };
  try {
    const mark = from?.after as string | undefined;
    for await (const entries of readStream(connection, split, mark, { entriesMax: count, blockMs, place })) {
      const objects = entries.map((raw) => make(decodeEntry(raw, values, place) as RedisEntry<never>));
      yield run(objects, entries.at(-1)?.id);
    }
  } finally {
    connection.close();
  }
}
