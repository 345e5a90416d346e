// specs: timeout 60 s

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { openStore } from "../../../actors/stores/open-store.ts";
import { hasRedisServer } from "../../kit/redis-server.ts";
import { projectFolder } from "../../kit/sources.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { refuses } from "./conformance.ts";
import { commit, description, insistently, options, tell, withServer, withStore } from "./own-redis.ts";
import { bytesOf } from "./store-under-test.ts";

const test = suite("connections of the store in Redis");

test("a URL that names no server, or isn't encoded, is OPTION_INVALID and not shown", async () => {
  for (const url of [
    "redis://",
    "redis://user:s3cret@",
    "redis://user:s3cret%zz@localhost/0",
    "redis://user:s3cret@localhost/zero",
    "redis://user:s3cret@localhost/0?database=1",
    "redis://user:s3cret@localhost?prefix=a%20b",
  ]) {
    const error = await refuses("OPTION_INVALID", () => openStore(url, options));
    assert.not.match(error.message, /s3cret|zz/u);
  }
  const unheard = await refuses("STORE_UNAVAILABLE", () => openStore("redis://user:s3cret@127.0.0.1:1", options));
  assert.not.match(unheard.message, /s3cret/u);
  await refuses("OPTION_INVALID", () => openStore("redis://localhost", { commandTimeoutMs: 0 }));
});

if (!inSlot && (await hasRedisServer())) {
  test("a password may have any character, and a server an IPv6 address", async () => {
    const settings = { requirepass: "p@:/#%?ä", bind: "127.0.0.1 -::1" };
    await withServer({ settings }, async ({ url }) => {
      await (await openStore(url, options)).close();
      await openStore(url.replace("127.0.0.1", "[::1]"), options).then(
        (store) => store.close(),
        // A machine without IPv6.
        (error: Error) => assert.match(error.message, /EADDRNOTAVAIL|ECONNREFUSED|EAFNOSUPPORT/u),
      );
    });
  });

  test("a database that isn't there is STORE_REFUSED, a server with too many clients STORE_UNAVAILABLE", async () => {
    await withServer({ settings: { maxclients: "2" } }, async ({ url }) => {
      await refuses("STORE_REFUSED", () => openStore(url.replace(/0$/u, "99"), options));
      const others = [createClient({ url }), createClient({ url })];
      for (const other of others) await other.on("error", () => {}).connect();
      await refuses("STORE_UNAVAILABLE", () => openStore(url, options));
      for (const other of others) other.destroy();
      await insistently(async () => (await openStore(url, options)).close());
    });
  });

  test("an answer that came while this process was held up counts", async () => {
    await withStore({}, async (store) => {
      const committing = commit(store, 10, 5);
      // It is written by now, and the time for its answer passes before that can be looked at.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      const until = performance.now() + 2 * options.commandTimeoutMs;
      while (performance.now() < until);
      assert.equal(await committing, ["committed"]);
    });
  });

  test("a server that was a replica of an older one for a moment is STORE_LOST when it is asked for its end", async () => {
    await withStore({}, async (store, server) => {
      await withServer({ settings: { "repl-diskless-sync-delay": "0" } }, async (older) => {
        const mark = (await tell(server.url, "GET", "qstream:store")) as string;
        await tell(older.url, "SET", "qstream:store", mark);
        const channel = ["generation", "0", "first", "0", "last", "-1", "checkpointsFrom", "0"];
        await tell(
          older.url,
          "HSET",
          "qstream:{e}:execution",
          "description",
          "x",
          "status",
          "running",
          "channels",
          "1",
        );
        await tell(older.url, "HSET", "qstream:{e}:channel:0", ...channel);
        await tell(server.url, "REPLICAOF", "127.0.0.1", String(older.port));
        while (!String(await tell(server.url, "INFO", "replication")).includes("master_link_status:up"));
        await tell(server.url, "REPLICAOF", "NO", "ONE");
        await refuses("STORE_LOST", () => insistently(() => store.fence("e", [0])));
        await refuses("STORE_LOST", () => store.list());
      });
    });
  });

  test("a user with the rights that the documentation names can do everything", async () => {
    const page = readFileSync(join(projectFolder, "docs/lineage-stores.md"), "utf8");
    const [command = ""] = /^ACL SETUSER[^`]+/mu.exec(page) ?? [];
    await withServer({}, async (server) => {
      await tell(server.url, ...command.trim().replace("PASSWORD", "pw").split(/\s+/u));
      const store = await openStore(server.url.replace("//", "//flows:pw@"), options);
      await store.create("e", description, 2, 1);
      await commit(store, 0, 10);
      await store.saveCheckpoint("e", 0, 0, 4, bytesOf(2_000_000));
      await store.saveCheckpoint("e", 0, 0, 4, bytesOf(2_000_000, 2));
      assert.is((await store.loadCheckpoint("e", 0, 4))?.byteLength, 2_000_000);
      assert.is((await store.read("e", 0, -1, 20)).length, 10);
      assert.is(await store.countFailure("e", 0, 7, "a"), 1);
      assert.is((await store.fence("e", [0, 1])).length, 2);
      await store.free("e", 0, 8, 9);
      assert.is((await store.progress("e", 0)).lastSeq, 9);
      await store.setStatus("e", "failed");
      assert.is((await store.list())[0]?.status, "failed");
      assert.ok((await store.bytesHeld()) > 0);
      await store.drop("e");
      await store.close();
    });
  });
}

test.run();
