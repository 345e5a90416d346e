import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import { openStore } from "../../../actors/stores/open-store.ts";
import type { LineageStore } from "../../../lib/core/contracts/lineage-store.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { startRedisServer, type RedisServer, type RedisServerOptions } from "../../kit/redis-server.ts";
import { records } from "./store-under-test.ts";

export const description = Uint8Array.of(1);
/** Short, so that a spec doesn't wait for long. */
export const options = { connectTimeoutMs: 1000, commandTimeoutMs: 300 };

export async function withServer(
  settings: RedisServerOptions,
  body: (server: RedisServer) => Promise<void>,
): Promise<void> {
  const server = await startRedisServer(settings);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

export async function withStore(
  settings: RedisServerOptions,
  body: (store: LineageStore, server: RedisServer) => Promise<void>,
): Promise<void> {
  await withServer(settings, async (server) => {
    const store = await openStore(server.url, options);
    try {
      await store.create("e", description, 2, 1);
      await commit(store, 0, 10);
      await body(store, server);
    } finally {
      await store.close();
    }
  });
}

export function commit(
  store: LineageStore,
  firstSeq: number,
  count: number,
  generation = 0,
  length = 20,
): Promise<unknown> {
  return store.commit("e", [{ channel: 0, generation, firstSeq, records: records(count, firstSeq, length) }]);
}

/** Says something to a server over a connection of its own. */
export async function tell(url: string, ...words: readonly string[]): Promise<unknown> {
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}

/** Repeats a call while the store is away, as the engine does. */
export async function insistently<T>(call: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof QStreamError) || error.code !== "STORE_UNAVAILABLE" || left === 0) throw error;
    }
    await wait(20);
  }
}
