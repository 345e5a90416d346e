import { join } from "node:path";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import type { LineageStore } from "../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { RedisStoreOptions } from "./redis-store.ts";
import { CheckpointBlobs, type CheckpointPlace } from "./checkpoint-blobs.ts";
import { MemoryStore } from "./memory-store.ts";
import { checkRedisUrl } from "./redis-url.ts";

/** What the kinds of stores can be told; each takes what is about it. */
export interface OpenStoreOptions extends RedisStoreOptions {
  /** Of LMDB: commits survive a power cut. Default false, unless the text says `?flush=true`. */
  readonly flush?: boolean;
  /** Where large checkpoints are kept. Default: of LMDB `blobs` in its folder, of Redis nowhere else. Memory takes no notice. */
  readonly checkpoints?: CheckpointPlace | undefined;
  /** Where files are. Without it, LMDB keeps large checkpoints in a folder that only it writes to. */
  readonly files?: FileSystem;
}

/** Slots write larger checkpoints themselves: on their way through the store's thread they would hold it up. */
const lmdbBytesMax = 1 << 20;

/**
 * Opens the store that a text names. LMDB and the Redis client are loaded only here, when they are asked for.
 *
 * @param text - `memory`; `lmdb:<folder>`, with `?flush=true` for commits that survive a power cut; `redis://` or `rediss://`
 * @throws QStreamError OPTION_INVALID, PACKAGE_MISSING, STORE_UNAVAILABLE, STORE_REFUSED
 * @example
 * const store = await openStore("lmdb:.qstream", { flush: true });
 */
export async function openStore(text: string, options: OpenStoreOptions = {}): Promise<LineageStore> {
  const named = parseStore(text);
  switch (named.kind) {
    case "memory":
      return new MemoryStore();
    case "lmdb": {
      const { folder, flush = options.flush ?? false } = named;
      const { openLmdbStore } = await import("./lmdb-store.ts");
      const { files } = options;
      const path = join(folder, "blobs");
      const place = files === undefined ? undefined : { path, files, storeBytesMax: lmdbBytesMax };
      return new CheckpointBlobs(await openLmdbStore(folder, { flush }), options.checkpoints ?? place);
    }
    case "redis": {
      const { openRedisStore } = await import("./redis-store.ts");
      return new CheckpointBlobs(await openRedisStore(text, options), options.checkpoints);
    }
  }
}

type NamedStore =
  | { readonly kind: "memory" | "redis" }
  | { readonly kind: "lmdb"; readonly folder: string; readonly flush?: boolean };

/**
 * What a text names, without opening it.
 *
 * @throws QStreamError OPTION_INVALID
 */
export function parseStore(text: string): NamedStore {
  if (text === "memory") return { kind: "memory" };
  if (text.startsWith("lmdb:")) {
    const [folder = "", settings] = text.slice("lmdb:".length).split("?");
    const flush = flushOf(text, settings);
    if (folder === "") {
      throw new QStreamError("OPTION_INVALID", "lmdb: names no folder", { advice: "Write lmdb:.qstream, for example" });
    }
    return { kind: "lmdb", folder, ...(flush === undefined ? {} : { flush }) };
  }
  if (text.startsWith("redis://") || text.startsWith("rediss://")) {
    checkRedisUrl(text);
    return { kind: "redis" };
  }
  throw unknownStore(text);
}

function flushOf(text: string, settings: string | undefined): boolean | undefined {
  if (settings === undefined) return undefined;
  if (settings === "flush=true") return true;
  if (settings === "flush=false") return false;
  throw unknownStore(text);
}

function unknownStore(text: string): QStreamError {
  // A password has no place in an error.
  const shown = text.replace(/\/\/.*@/su, "//***@").slice(0, 200);
  return new QStreamError("OPTION_INVALID", `there is no store "${shown}"`, {
    advice: "One of memory, lmdb:<folder>, lmdb:<folder>?flush=true, redis://host:port/db, rediss://host:port/db, none",
  });
}
