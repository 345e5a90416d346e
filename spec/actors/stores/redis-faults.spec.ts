// specs: waits
// specs: timeout 180 s

import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { openStore } from "../../../actors/stores/open-store.ts";
import { fenceScript } from "../../../actors/stores/redis-scripts.ts";
import { hasRedisServer } from "../../kit/redis-server.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";
import { commit, description, insistently, options, tell, withServer, withStore } from "./own-redis.ts";
import { bytesOf } from "./store-under-test.ts";

const test = suite("a Redis that fails");

if (!inSlot && (await hasRedisServer())) {
  test("a server that is killed and started again with its log: the store goes on", async () => {
    await withStore({ appendOnly: true }, async (store, server) => {
      await server.kill();
      await refuses("STORE_UNAVAILABLE", () => commit(store, 10, 5));
      await refuses("STORE_UNAVAILABLE", () => store.list());
      await server.restart();
      await insistently(() => commit(store, 10, 5));
      assert.is((await store.progress("e", 0)).lastSeq, 14);
    });
  });

  test("commits during kills of the server are there once", async () => {
    await withStore({ appendOnly: true }, async (store, server) => {
      let seq = 10;
      let done = false;
      const kills = (async () => {
        for (let kill = 0; kill < 5; kill++) {
          await wait(60);
          await server.restart();
        }
        done = true;
      })();
      for (; !done || seq < 100; seq += 2) {
        const firstSeq = seq;
        await insistently(() => commit(store, firstSeq, 2));
      }
      await kills;
      const read = await store.read("e", 0, -1, 1_000_000);
      assert.equal(
        read.map((kept) => kept.record[0]),
        Array.from({ length: seq }, (_, index) => index % 251),
      );
    });
  });

  test("a server that starts again without its data is STORE_LOST, and nothing is written to it", async () => {
    await withStore({ appendOnly: true }, async (store, server) => {
      await server.restart({ empty: true });
      await refuses("STORE_LOST", () => insistently(() => commit(store, 10, 1)));
      await refuses("STORE_LOST", () => store.list());
      assert.is(await tell(server.url, "DBSIZE"), 0);
      // A new store begins anew there.
      const another = await openStore(server.url, options);
      assert.equal(await another.list(), []);
      await another.close();
      await refuses("STORE_LOST", () => store.list());
    });
  });

  test("a server that is emptied behind an open connection is STORE_LOST", async () => {
    await withStore({}, async (store, server) => {
      await tell(server.url, "FLUSHALL");
      await refuses("STORE_LOST", () => commit(store, 10, 1));
    });
  });

  test("a server that comes back without its latest data is STORE_LOST, also to who writes elsewhere", async () => {
    // It saves only when it is told to.
    await withStore({ settings: { dbfilename: "saved.rdb" } }, async (store, server) => {
      await tell(server.url, "SAVE");
      await commit(store, 10, 5);
      await server.restart();
      await refuses("STORE_LOST", () => insistently(() => store.progress("e", 1)));
    });
  });

  test("keys that are evicted or removed are STORE_LOST", async () => {
    await withStore({}, async (store, server) => {
      await tell(server.url, "DEL", "qstream:{e}:records:0");
      await refuses("STORE_LOST", () => commit(store, 10, 1));
      await refuses("STORE_LOST", () => store.fence("e", [0]));
    });
  });

  test("a server that doesn't answer is STORE_UNAVAILABLE in time, and used again when it does", async () => {
    await withStore({}, async (store, server) => {
      server.pause();
      const started = performance.now();
      await Promise.all([
        refuses("STORE_UNAVAILABLE", () => commit(store, 10, 5)),
        refuses("STORE_UNAVAILABLE", () => store.fence("e", [1])),
      ]);
      assert.ok(performance.now() - started < 1000);
      // Nor does it let anybody in.
      await refuses("STORE_UNAVAILABLE", () => commit(store, 10, 5));
      await refuses("STORE_UNAVAILABLE", () => openStore(server.url, options));
      server.resume();
      await insistently(() => commit(store, 10, 5));
      const [fenced] = await insistently(() => store.fence("e", [1]));
      // The one that was given up was done, or wasn't; it isn't done any more.
      await wait(100);
      assert.is((await store.progress("e", 1)).generation, fenced?.generation);
      assert.equal((await store.read("e", 0, 8, 10)).length, 6);
    });
  });

  test("a server without memory is STORE_REFUSED, takes nothing in part, and can be freed", async () => {
    await withStore({ settings: { maxmemory: "6mb", "maxmemory-policy": "noeviction" } }, async (store) => {
      let seq = 10;
      const fill = async (): Promise<void> => {
        for (; seq < 100_000; seq += 100) await commit(store, seq, 100, 0, 1000);
      };
      const error = await refuses("STORE_REFUSED", fill);
      assert.match(error.message, /maxmemory/u);
      assert.is((await store.progress("e", 0)).lastSeq, seq - 1);
      await refuses("STORE_REFUSED", () => store.saveCheckpoint("e", 0, 0, seq - 1, bytesOf(1_000_000)));
      assert.is((await store.progress("e", 0)).checkpoint, -1);
      // What needs a few bytes to free many.
      await store.free("e", 0, -1, 5);
      await store.free("e", 0, seq - 1, 5);
      await commit(store, seq, 100, 0, 1000);
    });
  });

  test("a read-only replica is STORE_REFUSED, at once and when a server becomes one", async () => {
    await withStore({}, async (store, server) => {
      await withServer({ settings: { replicaof: `127.0.0.1 ${server.port}` } }, async (replica) => {
        await refuses("STORE_REFUSED", () => openStore(replica.url, options));
        await tell(replica.url, "REPLICAOF", "NO", "ONE");
        await tell(server.url, "REPLICAOF", "127.0.0.1", String(replica.port));
        const error = await refuses("STORE_REFUSED", () => insistently(() => commit(store, 10, 1)));
        assert.match(error.message, /primary/u);
      });
    });
  });

  test("a server that can't save to its disk is STORE_REFUSED", async () => {
    await withStore({ settings: { save: "3600 1" } }, async (store, server) => {
      await server.loseFolder();
      await tell(server.url, "BGSAVE");
      const saving = async (): Promise<boolean> =>
        /rdb_bgsave_in_progress:1/u.test(String(await tell(server.url, "INFO")));
      while (await saving()) await wait(10);
      const error = await refuses("STORE_REFUSED", () => commit(store, 10, 1));
      assert.match(error.message, /disk/u);
    });
  });

  test("a policy that evicts is STORE_REFUSED", async () => {
    await withServer({ settings: { "maxmemory-policy": "allkeys-lru" } }, async (server) => {
      const error = await refuses("STORE_REFUSED", () => openStore(server.url, options));
      assert.match(error.message, /noeviction/u);
      await tell(server.url, "CONFIG", "SET", "maxmemory-policy", "volatile-lru");
      await (await openStore(server.url, options)).close();
    });
  });

  test("a password is asked for, and never said", async () => {
    await withServer({}, async (server) => {
      await tell(server.url, "CONFIG", "SET", "requirepass", "s3cret");
      await refuses("STORE_REFUSED", () => openStore(server.url, options));
      const wrong = await refuses("STORE_REFUSED", () =>
        openStore(server.url.replace("//", "//default:other-s3cret@"), options),
      );
      assert.not.match(wrong.message, /s3cret/u);
      const store = await openStore(server.url.replace("//", "//default:s3cret@"), options);
      await store.create("e", description, 2, 1);
      const told = await server.kill().then(() => refuses("STORE_UNAVAILABLE", () => store.list()));
      assert.not.match(told.message, /s3cret/u);
      await store.close();
    });
  });

  test("a call that was given up and reaches the server behind a later one isn't done", async () => {
    await withStore({}, async (store, server) => {
      const fenced = [await store.fence("e", [0]), await store.fence("e", [0])];
      const key = "qstream:{e}:execution";
      const [caller, call] = (await tell(server.url, "HMGET", key, "caller", "call")) as [string, string];
      const mark = String(await tell(server.url, "GET", "qstream:store"));
      const again = async (number: number): Promise<unknown> =>
        tell(server.url, "EVAL", fenceScript.text, "2", "qstream:", "qstream:{e}:", mark, caller, String(number), "0");
      assert.equal(await again(Number(call) - 1), ["stale"]);
      assert.is((await store.progress("e", 0)).generation, fenced[1]?.[0]?.generation);
    });
  });
}

test.run();
