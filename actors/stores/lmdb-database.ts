import { statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Database } from "lmdb";
import { QStreamError } from "../../lib/core/errors.ts";
import { makeFolder } from "../../lib/core/seam/make-folder.ts";

/** What it is, execution, channel, seq. Records of a channel are neighbours, so that reading them is one range. */
export type LmdbKey = (string | number)[];

/** Keys from `start` on, before `end`. */
export interface KeyRange {
  readonly start: LmdbKey;
  readonly end: LmdbKey;
}

// Nobody who reads or writes waits for more than this.
const removedTogether = 2000;
// More than a transaction writes. LMDB doesn't always survive it when its file can't grow in the middle of one: it may damage its
// memory, and the process aborts.
const roomBytes = 16 << 20;

/** All keys that begin so. */
export function rangeOf(...prefix: LmdbKey): KeyRange {
  // Nothing sorts behind this character.
  return { start: prefix, end: [...prefix, "\u{10ffff}"] };
}

/** Values under ordered keys in an LMDB file: bytes, or states as JSON. Several processes may have it open. */
export class LmdbDatabase {
  readonly #database: Database<Uint8Array, LmdbKey>;
  readonly #folder: string;
  readonly #flush: boolean;

  private constructor(database: Database<Uint8Array, LmdbKey>, folder: string, flush: boolean) {
    this.#database = database;
    this.#folder = folder;
    this.#flush = flush;
  }

  /** @throws QStreamError STORE_UNAVAILABLE, STORE_REFUSED, PACKAGE_MISSING */
  static async open(folder: string, flush: boolean, file = "lineage.mdb"): Promise<LmdbDatabase> {
    const path = resolve(folder);
    const { open } = await loadLmdb();
    await makeFolder(path, path, placeAdvice).catch((cause: unknown) => {
      throw folderError(cause);
    });
    try {
      const database = open<Uint8Array, LmdbKey>({
        path: join(path, file),
        encoding: "binary",
        // Without the flush a commit is in the kernel's memory: only a power cut loses it.
        noSync: !flush,
        maxReaders: 1024,
      });
      return new LmdbDatabase(database, path, flush);
    } catch (cause) {
      throw lmdbError(`the store in ${path} can't be opened`, cause);
    }
  }

  bytes(key: LmdbKey): Uint8Array | undefined {
    const found = this.#database.getBinary(key);
    return found === undefined ? undefined : new Uint8Array(found);
  }

  state<T>(key: LmdbKey): T | undefined {
    const bytes = this.bytes(key);
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  keys(range: KeyRange): readonly LmdbKey[] {
    return [...this.#database.getKeys(range)];
  }

  /** The last keys of a range, the very last one first. */
  lastKeys({ start, end }: KeyRange, limit: number): readonly LmdbKey[] {
    return [...this.#database.getKeys({ start: end, end: start, reverse: true, limit })];
  }

  *entries(range: KeyRange, limit: number): Iterable<{ readonly key: LmdbKey; readonly bytes: Uint8Array }> {
    for (const { key, value } of this.#database.getRange({ ...range, limit }))
      yield { key, bytes: new Uint8Array(value) };
  }

  /** Within `write` only, as the two below. */
  put(key: LmdbKey, bytes: Uint8Array): void {
    this.#database.putSync(key, bytes);
  }

  putState(key: LmdbKey, state: unknown): void {
    this.put(key, new TextEncoder().encode(JSON.stringify(state)));
  }

  remove(key: LmdbKey): void {
    this.#database.removeSync(key);
  }

  /**
   * One transaction, durable when this is settled. What `change` throws doesn't undo what it has written: it throws before it writes.
   *
   * @throws QStreamError STORE_UNAVAILABLE, STORE_REFUSED
   */
  async write<T>(change: () => T): Promise<T> {
    try {
      this.#refuseFull();
      // The asynchronous kind leaves rejections behind that nobody can wait for: a full disk would end the process.
      const answer = this.#database.transactionSync(change);
      if (this.#flush) await this.#database.flushed;
      return answer;
    } catch (error) {
      throw error instanceof QStreamError ? error : lmdbError("the store can't write", error);
    }
  }

  /** Before each transaction, as whoever else writes to the disk may fill it at once. It costs a microsecond. */
  #refuseFull(): void {
    const { bavail, bsize } = statfsSync(this.#folder);
    if (bavail * bsize < roomBytes) throw new Error(`no space: the disk of ${this.#folder} has less than 16 MiB left`);
  }

  /** Removes keys in transactions of bounded size. */
  async removeRange(range: KeyRange): Promise<void> {
    for (;;) {
      const keys = [...this.#database.getKeys({ ...range, limit: removedTogether })];
      if (keys.length === 0) return;
      // oxlint-disable-next-line no-await-in-loop -- others write between them
      await this.write(() => {
        for (const key of keys) this.remove(key);
      });
    }
  }

  /** Bytes of the pages in use. */
  bytesHeld(): number {
    const stats = this.#database.getStats() as Readonly<Record<string, number | undefined>>;
    const { pageSize = 0, treeBranchPageCount = 0, treeLeafPageCount = 0, overflowPages = 0 } = stats;
    return pageSize * (treeBranchPageCount + treeLeafPageCount + overflowPages);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** Waiting helps against a full disk; it doesn't against a folder that may not be written. */
export function lmdbError(what: string, cause: unknown): QStreamError {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (isForbidden(why)) {
    return new QStreamError("STORE_REFUSED", `${what}: ${why}`, { advice: "Look at the folder's permissions", cause });
  }
  const full = /ENOSPC|EDQUOT|MDB_MAP_FULL|no space|quota/iu.test(why);
  return new QStreamError("STORE_UNAVAILABLE", `${what}: ${why}`, {
    advice: full ? "Free space on its disk: the execution waits for it" : "Look at the folder and its disk",
    cause,
  });
}

const placeAdvice = 'Name another folder for the store: --store lmdb:FOLDER, or in code store: "lmdb:FOLDER"';

/** The message of who couldn't make the folder says all but what it is for. */
function folderError(cause: unknown): QStreamError {
  if (!(cause instanceof QStreamError)) return lmdbError("the store can't be opened", cause);
  const code = isForbidden(cause.message) ? "STORE_REFUSED" : "STORE_UNAVAILABLE";
  return new QStreamError(code, `the store can't be opened: ${cause.message}`, { cause: cause.cause });
}

function isForbidden(why: string): boolean {
  return /EACCES|EPERM|EROFS|permission denied|read-only file system|not permitted/iu.test(why);
}

async function loadLmdb(): Promise<typeof import("lmdb")> {
  try {
    return await import("lmdb");
  } catch (cause) {
    throw new QStreamError("PACKAGE_MISSING", "a store in a folder needs the package lmdb with its native part", {
      advice: "Install it: npm install lmdb",
      cause,
    });
  }
}
