import { QStreamError } from "../../lib/core/errors.ts";
import { beforeAll, compareIds, idBefore } from "./entry-id.ts";
import { entriesOf } from "./entries.ts";
import { withoutStop, type RedisConnection } from "./server.ts";

/** The part of a Redis stream that is read: by id, so that it can be read again. */
export interface RedisSplit {
  readonly stream: string;
  /** Entries behind this id are read. */
  readonly after: string;
  /**
   * An entry that was there when the split was made: the first one to read, or the last one before. While it is still there,
   * nothing behind it was trimmed. Undefined for a stream that was empty.
   */
  readonly anchor?: string;
  /** For a stream that was empty: how many entries had been removed from it by then, where the server tells. */
  readonly removed?: number;
  /** The last id to read; undefined to go on for ever. */
  readonly through?: string;
  /** True if `through` may not have come yet. */
  readonly waits: boolean;
}

/** Where reading begins and ends; ids are whole. */
export interface RedisBounds {
  readonly from: "start" | "end" | { readonly id: string };
  readonly until: "end" | { readonly id: string } | undefined;
}

/** What is known of a stream now. */
export interface StreamState {
  /** The largest id that it ever gave. */
  readonly lastId: string;
  /** How many entries were removed from it; undefined before Redis 7. */
  readonly removed: number | undefined;
}

/** The state of a stream from a reply of XINFO STREAM; undefined where there is none. */
export function stateOf(reply: unknown, place: string): StreamState | undefined {
  if (reply instanceof Error) {
    if (/no such key/u.test(reply.message)) return undefined;
    throw refusal(reply, place);
  }
  const values = reply as readonly unknown[];
  const value = (name: string): unknown => {
    const at = values.findIndex((key, index) => index % 2 === 0 && String(key) === name);
    return at === -1 ? undefined : values[at + 1];
  };
  const added = value("entries-added");
  return {
    lastId: String(value("last-generated-id")),
    removed: added === undefined ? undefined : Number(added) - Number(value("length")),
  };
}

/** The error for a command that the server didn't do. */
export function refusal(reply: Error, place: string): QStreamError {
  return new QStreamError("BAD_INPUT", `${place} can't be read: ${withoutStop(reply.message)}`, {
    advice: "Check the key, and what the user of the URL may do.",
    cause: reply,
  });
}

/** The split of a stream; undefined where there is nothing to read and nothing to wait for. */
export async function splitOf(
  connection: RedisConnection,
  stream: string,
  bounds: RedisBounds,
  place: string,
): Promise<RedisSplit | undefined> {
  const { from, until } = bounds;
  const begin = from === "start" ? "-" : from === "end" ? undefined : from.id;
  const [info, lastReply, firstReply] = await connection.ask([
    ["XINFO", "STREAM", stream],
    ["XREVRANGE", stream, "+", "-", "COUNT", "1"],
    ["XRANGE", stream, begin ?? "+", "+", "COUNT", "1"],
  ]);
  const state = stateOf(info, place);
  if (state === undefined && until === "end") throw missing(place);
  for (const reply of [lastReply, firstReply]) if (reply instanceof Error) throw refusal(reply, place);
  const lastId = state?.lastId ?? beforeAll;
  const last = entriesOf(lastReply)[0]?.id;
  const first = begin === undefined ? undefined : entriesOf(firstReply)[0]?.id;
  const after = begin === undefined ? lastId : begin === "-" ? beforeAll : idBefore(begin);
  const through = until === "end" ? last : until?.id;
  // Nothing is there, and nothing is waited for.
  if (until === "end" && (first === undefined || through === undefined)) return undefined;
  if (through !== undefined && compareIds(through, after) <= 0) return undefined;
  const anchor = first ?? last;
  const removed = state === undefined ? 0 : state.removed;
  return {
    stream,
    after,
    ...(anchor === undefined ? (removed === undefined ? {} : { removed }) : { anchor }),
    ...(through === undefined ? {} : { through }),
    waits: until !== "end",
  };
}

function missing(place: string): QStreamError {
  return new QStreamError("PATH_NOT_FOUND", `there is no ${place}`, {
    advice: 'Check the key. Without until: "end", the reader waits for the stream to be made.',
  });
}
