import type { ActorJournal } from "../../lib/core/contracts/actor-journal.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { parseStore } from "./open-store.ts";
import type { RedisStoreOptions } from "./redis-steps.ts";

/** What the kinds of journals can be told; each takes what is about it. */
export interface OpenJournalOptions extends RedisStoreOptions {
  /** Of LMDB: what is written survives a power cut. Default false, unless the text says `?flush=true`. */
  readonly flush?: boolean;
}

/**
 * Opens the journal of actors that is in the store that a text names. LMDB and the Redis client are loaded only here.
 *
 * @param text - as for `openStore`
 * @throws QStreamError OPTION_INVALID, PACKAGE_MISSING, STORE_UNAVAILABLE, STORE_REFUSED
 * @example
 * const journal = await openJournal("lmdb:.qstream", { flush: true });
 */
export async function openJournal(text: string, options: OpenJournalOptions = {}): Promise<ActorJournal> {
  const named = parseStore(text);
  switch (named.kind) {
    case "memory":
      return new MemoryJournal();
    case "lmdb": {
      const { openLmdbJournal } = await import("./lmdb-journal.ts");
      return await openLmdbJournal(named.folder, { flush: named.flush ?? options.flush ?? false });
    }
    case "redis": {
      const { openRedisJournal } = await import("./redis-journal.ts");
      return await openRedisJournal(text, options);
    }
  }
}
