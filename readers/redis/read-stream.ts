import { QStreamError } from "../../lib/core/errors.ts";
import { beforeAll, compareIds } from "./entry-id.ts";
import { entriesRead, type RawEntry } from "./entries.ts";
import type { RedisConnection } from "./server.ts";
import { refusal, stateOf, type RedisSplit, type StreamState } from "./stream-splits.ts";

export interface ReadStreamOptions {
  /** Entries fetched at once, at most. */
  readonly entriesMax: number;
  /** Milliseconds that the server holds back its answer when there is no entry. */
  readonly blockMs: number;
  readonly place: string;
}

const firstFetch = 32;
/** Bytes of a fetch that the number of its entries is fitted to. */
const fetchBytes = 1 << 20;

/**
 * The entries of a split, in fetches. Each fetch also asks for the entry before it: streams are trimmed from their start, so
 * that while it is there, none of those behind it is missing.
 *
 * @param mark - id of the entry behind which reading goes on; undefined for the split's start
 * @throws QStreamError NOT_RECOVERABLE where entries were trimmed that weren't read yet
 */
export async function* readStream(
  connection: RedisConnection,
  split: RedisSplit,
  mark: string | undefined,
  options: ReadStreamOptions,
): AsyncGenerator<readonly RawEntry[], void> {
  const { through, waits } = split;
  let after = mark ?? split.after;
  let anchor = mark ?? split.anchor;
  let count = Math.min(firstFetch, options.entriesMax);
  // The server is asked to wait only once it had nothing: so the first answer, which may be that entries are gone, is soon there.
  let waiting = false;
  while (through === undefined || compareIds(after, through) < 0) {
    // oxlint-disable-next-line no-await-in-loop -- each fetch begins where the last one ended
    const { fetched, complete, lastId } = await fetchEntries(connection, {
      split,
      after,
      anchor,
      count,
      waiting,
      options,
    });
    if (!complete) throw trimmed(split.stream, anchor ?? after, options.place);
    const entries = through === undefined ? fetched : fetched.filter(({ id }) => compareIds(id, through) <= 0);
    const last = entries.at(-1);
    waiting = waits && fetched.length === 0;
    if (last !== undefined) {
      yield entries;
      after = anchor = last.id;
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      count = Math.max(1, Math.min(options.entriesMax, Math.floor((fetchBytes * entries.length) / bytes), 2 * count));
    }
    if (through === undefined || after === through) continue;
    const passed = entries.length < fetched.length || (fetched.length === 0 && compareIds(lastId, through) >= 0);
    // Where nothing is waited for, the last entry was there when the split was made.
    if (!waits && (passed || fetched.length === 0)) throw trimmed(split.stream, through, options.place);
    if (passed) return;
  }
}

interface Fetch {
  readonly split: RedisSplit;
  readonly after: string;
  readonly anchor: string | undefined;
  readonly count: number;
  readonly waiting: boolean;
  readonly options: ReadStreamOptions;
}

interface Fetched {
  readonly fetched: readonly RawEntry[];
  /** False where entries in front of these are gone. */
  readonly complete: boolean;
  /** The largest id that the stream had given before. */
  readonly lastId: string;
}

const nothing = ["PING"];

/**
 * Commands in one go are done one after the other, perhaps with others' between them. So the largest id is asked for before
 * the entries, which then are all up to it, and what is still there behind them: it was so when they were read.
 */
async function fetchEntries(connection: RedisConnection, wanted: Fetch): Promise<Fetched> {
  const { split, after, anchor, count, waiting, options } = wanted;
  const { stream } = split;
  const { place } = options;
  const block = waiting ? ["BLOCK", String(options.blockMs)] : [];
  const [before, read, behind] = await connection.ask([
    split.through === undefined ? nothing : ["XINFO", "STREAM", stream],
    ["XREAD", "COUNT", String(count), ...block, "STREAMS", stream, after],
    anchor === undefined ? ["XINFO", "STREAM", stream] : ["XRANGE", stream, anchor, anchor, "COUNT", "1"],
  ]);
  if (read instanceof Error) throw refusal(read, place);
  if (anchor !== undefined && behind instanceof Error) throw refusal(behind, place);
  return {
    fetched: entriesRead(read),
    complete:
      anchor === undefined ? !lostSome(split, stateOf(behind, place)) : (behind as readonly unknown[]).length > 0,
    lastId: (split.through === undefined ? undefined : stateOf(before, place)?.lastId) ?? beforeAll,
  };
}

/** True if entries were removed from a stream that was empty when the split was made. */
function lostSome(split: RedisSplit, state: StreamState | undefined): boolean {
  return state?.removed !== undefined && split.removed !== undefined && state.removed > split.removed;
}

function trimmed(stream: string, id: string, place: string): QStreamError {
  return new QStreamError(
    "NOT_RECOVERABLE",
    `${place} has lost entry ${id}: it was trimmed or deleted, and entries behind it may be, too, that weren't read yet`,
    {
      advice:
        `Let the stream keep more (XADD ${JSON.stringify(stream)} MAXLEN or MINID), and check that the server keeps its ` +
        "data when it is restarted.",
    },
  );
}
