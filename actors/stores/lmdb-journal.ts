import { createHash } from "node:crypto";
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
import { LmdbDatabase, rangeOf } from "./lmdb-database.ts";
import type { LmdbStoreOptions } from "./lmdb-store.ts";
import { packRecords, unpackRecords } from "./record-groups.ts";
import { transitionsMissing } from "./store-errors.ts";

/** What is under a key: its first element. After it comes the actor, and for records the seq of the last one of the group. */
const kinds = {
  generation: "g",
  record: "r",
  snapshot: "s",
  /** The actor's whole name. */
  awake: "w",
  /** How often actors were claimed, by anybody: while it stays, no generation has changed. */
  claims: "n",
} as const;
const readBytesMax = 1 << 20;
const readGroupsMax = 1000;
const headBytes = 12;
/** What a key has room for, whatever its characters are. */
const keyCharactersMax = 400;
/** What is known of more actors is read again. */
const knownMaxDefault = 100_000;

/** What is to be written of an entry: all of it, all but its records, or nothing. */
type Judgement = "new" | "repeated" | "passed";

interface KnownActor {
  readonly generation: number;
  readonly lastSeq: number;
}

export interface LmdbJournalOptions extends LmdbStoreOptions {
  /** Of how many actors it keeps in memory what they have written. */
  readonly knownMax?: number;
}

/**
 * Opens the journal of actors in a folder, beside the lineage that may be there. Several processes may have it open.
 *
 * @param folder - path of the folder, which is made where it isn't there
 * @throws QStreamError PACKAGE_MISSING, STORE_REFUSED where the folder can't be written, STORE_UNAVAILABLE
 */
export async function openLmdbJournal(folder: string, options: LmdbJournalOptions = {}): Promise<ActorJournal> {
  const { flush = false, knownMax = knownMaxDefault } = options;
  return new LmdbJournal(await LmdbDatabase.open(folder, flush, "actors.mdb"), knownMax);
}

class LmdbJournal implements ActorJournal {
  readonly kind = "lmdb";
  readonly #database: LmdbDatabase;
  readonly #knownMax: number;
  /** Actors that this process writes for, or some of them: nobody else does before it has claimed one. */
  readonly #known = new Map<string, KnownActor>();
  #claims = -1;

  constructor(database: LmdbDatabase, knownMax: number) {
    this.#database = database;
    this.#knownMax = knownMax;
  }

  append(entries: readonly JournalEntry[]): Promise<readonly CommitAnswer[]> {
    return this.#change(() => {
      // A transaction isn't undone by an error: all is judged before anything is written.
      const judged = this.#judge(entries);
      return entries.map((entry, index): CommitAnswer => {
        const judgement = judged[index];
        if (judgement === undefined) return "fenced";
        if (judgement !== "passed") this.#write(entry, judgement);
        return "committed";
      });
    });
  }

  claim(actors: readonly string[]): Promise<readonly ClaimedActor[]> {
    return this.#change(() => {
      this.#claims++;
      this.#database.putState([kinds.claims], this.#claims);
      return actors.map((actor) => {
        const key = keyOf(actor);
        const { generation: before, lastSeq } = this.#knownOf(actor);
        const generation = before + 1;
        this.#database.putState([kinds.generation, key], generation);
        this.#know(actor, { generation, lastSeq });
        const isAwake = this.#database.bytes([kinds.awake, key]) !== undefined;
        return { generation, lastSeq, snapshot: this.#snapshot(actor), isAwake };
      });
    });
  }

  async read(actor: string, afterSeq: number): Promise<readonly JournalRecord[]> {
    const key = keyOf(actor);
    const found: JournalRecord[] = [];
    let read = 0;
    // A group has the seq of its last record as its key: the first one from here on holds the record that is next.
    const range = { start: [kinds.record, key, afterSeq + 1], end: rangeOf(kinds.record, key).end };
    for (const { key: at, bytes } of this.#database.entries(range, readGroupsMax)) {
      for (const one of unpackRecords({ lastSeq: Number(at[2]), bytes })) if (one.seq > afterSeq) found.push(one);
      read += bytes.byteLength;
      if (read >= readBytesMax) break;
    }
    return found;
  }

  async awake(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const { bytes } of this.#database.entries(rangeOf(kinds.awake), Infinity)) {
      names.push(new TextDecoder().decode(bytes));
    }
    return names;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #change<T>(change: () => T): Promise<T> {
    try {
      return await this.#database.write(() => {
        const claims = this.#database.state<number>([kinds.claims]) ?? 0;
        // Somebody else has claimed actors.
        if (claims !== this.#claims) this.#known.clear();
        this.#claims = claims;
        return change();
      });
    } catch (error) {
      // What was noted may not have been written.
      this.#claims = -1;
      throw error;
    }
  }

  /** What each entry writes; undefined for one that is fenced. */
  #judge(entries: readonly JournalEntry[]): readonly (Judgement | undefined)[] {
    const lastSeqs = new Map<string, number>();
    return entries.map(({ actor, generation, firstSeq, records }): Judgement | undefined => {
      const known = this.#knownOf(actor);
      if (known.generation !== generation) return undefined;
      const lastSeq = lastSeqs.get(actor) ?? known.lastSeq;
      const reached = firstSeq + records.length - 1;
      if (reached < lastSeq) return "passed";
      if (reached === lastSeq) return "repeated";
      if (firstSeq !== lastSeq + 1) throw transitionsMissing(actor, lastSeq);
      lastSeqs.set(actor, reached);
      return "new";
    });
  }

  #write({ actor, generation, firstSeq, records, snapshot, isAwake }: JournalEntry, judgement: Judgement): void {
    const key = keyOf(actor);
    if (judgement === "new") {
      this.#know(actor, { generation, lastSeq: firstSeq + records.length - 1 });
      for (const { lastSeq, bytes } of packRecords(firstSeq, records)) {
        this.#database.put([kinds.record, key, lastSeq], bytes);
      }
    }
    if (snapshot !== undefined) this.#putSnapshot(key, snapshot);
    if (isAwake === true) this.#database.put([kinds.awake, key], new TextEncoder().encode(actor));
    if (isAwake === false) this.#database.remove([kinds.awake, key]);
  }

  #putSnapshot(key: string, { seq, bytes }: JournalSnapshot): void {
    this.#database.put([kinds.snapshot, key], withHead(seq, bytes));
    const freed = { start: [kinds.record, key], end: [kinds.record, key, seq + 1] };
    for (const record of this.#database.keys(freed)) this.#database.remove(record);
  }

  #snapshot(actor: string): JournalSnapshot | undefined {
    const kept = this.#database.bytes([kinds.snapshot, keyOf(actor)]);
    if (kept === undefined) return undefined;
    const { seq, crc } = headOf(kept);
    const bytes = kept.subarray(headBytes);
    if (crc32(bytes) !== crc) throw damaged(actor);
    return { seq, bytes };
  }

  #know(actor: string, known: KnownActor): void {
    // All at once: those that write are known again soon, and who doesn't write costs nothing to find.
    if (this.#known.size >= this.#knownMax && !this.#known.has(actor)) this.#known.clear();
    this.#known.set(actor, known);
  }

  #knownOf(actor: string): KnownActor {
    const known = this.#known.get(actor);
    if (known !== undefined) return known;
    const key = keyOf(actor);
    const generation = this.#database.state<number>([kinds.generation, key]) ?? 0;
    const [last] = this.#database.lastKeys(rangeOf(kinds.record, key), 1);
    const snapshot = this.#database.bytes([kinds.snapshot, key]);
    const lastSeq = Math.max(
      last === undefined ? -1 : Number(last[2]),
      snapshot === undefined ? -1 : headOf(snapshot).seq,
    );
    return { generation, lastSeq };
  }
}

/** What stands for an actor in keys: its name, where that fits and sorts as it is. */
function keyOf(actor: string): string {
  if (actor.length <= keyCharactersMax && isPlain(actor)) return actor;
  return `#${createHash("sha256").update(actor, "utf16le").digest("hex")}`;
}

function isPlain(text: string): boolean {
  return text.charCodeAt(0) !== 35 && /^[\x20-\x7e]+$/u.test(text);
}

function withHead(seq: number, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(headBytes + bytes.byteLength);
  const view = new DataView(all.buffer);
  view.setFloat64(0, seq, true);
  view.setUint32(8, crc32(bytes), true);
  all.set(bytes, headBytes);
  return all;
}

function headOf(kept: Uint8Array): { readonly seq: number; readonly crc: number } {
  const view = new DataView(kept.buffer, kept.byteOffset, kept.byteLength);
  return { seq: view.getFloat64(0, true), crc: view.getUint32(8, true) };
}

function damaged(actor: string): QStreamError {
  return new QStreamError("NOT_RECOVERABLE", `the snapshot of ${actor} in the store is damaged`, {
    advice: "Its disk may be failing: restore the folder from a backup",
  });
}
