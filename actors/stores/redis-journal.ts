import { crc32 } from "node:zlib";
import type {
  ActorJournal,
  ClaimedActor,
  JournalEntry,
  JournalRecord,
  JournalSnapshot,
} from "../../lib/core/contracts/actor-journal.ts";
import type { CommitAnswer } from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { packRecords, unpackRecords } from "./record-groups.ts";
import type { RedisArgument, RedisReply } from "./redis-connection.ts";
import { appendScript, awakeScript, claimScript, readGroupsScript } from "./redis-journal-scripts.ts";
import { bufferOf, bytesOf, listOf, numberOf, textOf } from "./redis-replies.ts";
import type { RedisScript } from "./redis-scripts.ts";
import { RedisSteps, type RedisStoreOptions } from "./redis-steps.ts";
import { transitionsMissing } from "./store-errors.ts";

/** Between executions, none of which has a name with such a character. */
const place = "#actors";
// What one script is given: Redis does nothing else meanwhile.
const appendBytesMax = 4 << 20;
const appendEntriesMax = 1000;
const claimedTogether = 64;
const readBytesMax = 1 << 20;
const colon = 58;

/**
 * Opens the journal of actors in a Redis of at least version 6.2, beside the lineage that may be there.
 *
 * @param text - as for `openRedisStore`
 * @throws QStreamError OPTION_INVALID, STORE_UNAVAILABLE, STORE_REFUSED
 */
export async function openRedisJournal(text: string, options: RedisStoreOptions = {}): Promise<ActorJournal> {
  return new RedisJournal(await RedisSteps.open(text, options));
}

class RedisJournal implements ActorJournal {
  readonly kind = "redis";
  readonly #steps: RedisSteps;
  /** Steps that the server has confirmed: one that knows of fewer has lost its tail. */
  #confirmed = 0;

  constructor(steps: RedisSteps) {
    this.#steps = steps;
  }

  async append(entries: readonly JournalEntry[]): Promise<readonly CommitAnswer[]> {
    const answers: CommitAnswer[] = [];
    for (let at = 0; at < entries.length;) {
      const some = takeEntries(entries, at);
      // oxlint-disable-next-line no-await-in-loop -- the entries of an actor are in order
      const states = await this.#change(appendScript, [String(some.length), ...some.flatMap(argumentsOf)]);
      for (const state of listOf(states)) answers.push(textOf(state) === "fenced" ? "fenced" : "committed");
      at += some.length;
    }
    return answers;
  }

  async claim(actors: readonly string[]): Promise<readonly ClaimedActor[]> {
    const claimed: ClaimedActor[] = [];
    for (let at = 0; at < actors.length; at += claimedTogether) {
      const some = actors.slice(at, at + claimedTogether);
      // oxlint-disable-next-line no-await-in-loop -- snapshots may be large
      const found = await this.#change(claimScript, some);
      for (const [index, each] of listOf(found).entries()) {
        const [generation, lastSeq, snapshot, isAwake] = listOf(each);
        claimed.push({
          generation: numberOf(generation),
          lastSeq: numberOf(lastSeq),
          snapshot: snapshotOf(some[index] ?? "", bytesOf(snapshot)),
          isAwake: numberOf(isAwake) === 1,
        });
      }
    }
    return claimed;
  }

  async read(actor: string, afterSeq: number): Promise<readonly JournalRecord[]> {
    const args = [actor, String(afterSeq), String(readBytesMax)];
    const [, groups] = await this.#run(readGroupsScript, args);
    return listOf(groups).flatMap((group) => {
      const all = bytesOf(group);
      const end = all.indexOf(colon);
      const lastSeq = Number(Buffer.from(all.subarray(0, end)).toString("latin1"));
      return unpackRecords({ lastSeq, bytes: all.subarray(end + 1) }).filter(({ seq }) => seq > afterSeq);
    });
  }

  async awake(): Promise<readonly string[]> {
    const [, names] = await this.#run(awakeScript, []);
    return listOf(names).map(textOf);
  }

  async close(): Promise<void> {
    this.#steps.close();
  }

  /** A step that writes: it answers how many there were, and what it was asked for. */
  async #change(step: RedisScript, args: readonly RedisArgument[]): Promise<RedisReply | undefined> {
    const [, count, answer] = await this.#run(step, args);
    this.#confirmed = Math.max(this.#confirmed, numberOf(count));
    return answer;
  }

  async #run(step: RedisScript, args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    const answer = await this.#steps.run(step, place, [String(this.#confirmed), ...args]);
    if (answer[0] === "regressed") throw transitionsMissing(textOf(answer[1]), numberOf(answer[2]));
    return answer;
  }
}

function argumentsOf(entry: JournalEntry): RedisArgument[] {
  const { actor, generation, firstSeq, records, snapshot, isAwake } = entry;
  const groups = packRecords(firstSeq, records);
  return [
    actor,
    String(generation),
    String(firstSeq),
    String(firstSeq + records.length - 1),
    isAwake === undefined ? "" : isAwake ? "1" : "0",
    snapshot === undefined ? "" : String(snapshot.seq),
    snapshot === undefined ? "" : headed(`${snapshot.seq}:${crc32(snapshot.bytes)}:`, snapshot.bytes),
    String(groups.length),
    ...groups.map(({ lastSeq, bytes }) => headed(`${lastSeq}:`, bytes)),
  ];
}

function headed(head: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(head, "latin1"), bufferOf(bytes)]);
}

function snapshotOf(actor: string, kept: Uint8Array): JournalSnapshot | undefined {
  if (kept.byteLength === 0) return undefined;
  const first = kept.indexOf(colon);
  const second = kept.indexOf(colon, first + 1);
  const [seq, crc] = Buffer.from(kept.subarray(0, second)).toString("latin1").split(":").map(Number);
  const bytes = kept.subarray(second + 1);
  if (seq !== undefined && crc32(bytes) === crc) return { seq, bytes };
  throw new QStreamError("NOT_RECOVERABLE", `the snapshot of ${actor} in Redis is damaged`, {
    advice: "Somebody else may write to its keys: give the store a database or ?prefix=<name> of its own",
  });
}

/** As many entries as one script is given: at least one. */
function takeEntries(entries: readonly JournalEntry[], from: number): readonly JournalEntry[] {
  let bytes = 0;
  for (let at = from; at < entries.length; at++) {
    const entry = entries[at];
    for (const record of entry?.records ?? []) bytes += record.byteLength;
    bytes += entry?.snapshot?.bytes.byteLength ?? 0;
    if (at > from && (bytes > appendBytesMax || at - from >= appendEntriesMax)) return entries.slice(from, at);
  }
  return entries.slice(from);
}
