import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { openStore } from "../../../actors/stores/open-store.ts";
import { hasRedisServer, startRedisServer } from "../../kit/redis-server.ts";
import { inSlot, suite } from "../../kit/suite.ts";
import { refuses, testStore } from "./conformance.ts";
import { commit, description, options, tell, withServer, withStore } from "./own-redis.ts";
import { bytesOf, newExecution } from "./store-under-test.ts";

const test = suite("the store in Redis");

if (!inSlot && (await hasRedisServer())) {
  const shared = await startRedisServer();
  test.after(() => shared.stop());
  testStore(test, {
    open: () => openStore(shared.url),
    survives: true,
    checkpointBytes: [0, 1 << 20, (1 << 20) + 1, 20_000_000],
  });
  test("executions that are dropped leave nothing but the store's mark", async () => {
    const store = await openStore(shared.url);
    for (const { execution } of await store.list()) await store.drop(execution);
    await store.create(newExecution(), description, 1, 1);
    await store.close();
    const keys = (await tell(shared.url, "KEYS", "*")) as string[];
    assert.equal(keys.filter((key) => !key.includes(":{")).toSorted(), ["qstream:executions", "qstream:store"]);
    assert.is(keys.length, 4);
  });

  test("the keys of others aren't touched, all of ours have their prefix, and only the mark stays", async () => {
    await withServer({}, async (server) => {
      await tell(server.url, "SET", "theirs", "1");
      const stores = [await openStore(server.url, options), await openStore(`${server.url}?prefix=other`, options)];
      for (const store of stores) {
        await store.create("e", description, 2, 1);
        await commit(store, 0, 10);
        await store.countFailure("e", 1, 1, "a");
        await store.saveCheckpoint("e", 0, 0, 3, bytesOf(3_000_000));
      }
      const keys = (await tell(server.url, "KEYS", "*")) as string[];
      assert.ok(
        keys.every((key) => /^(theirs$|(qstream|other):(store$|executions$|\{e\}:))/u.test(key)),
        keys.join(),
      );
      await stores[0]?.drop("e");
      assert.is((await stores[1]?.list())?.length, 1);
      await stores[1]?.drop("e");
      const left = (await tell(server.url, "KEYS", "*")) as string[];
      assert.equal(left.toSorted(), ["other:store", "qstream:store", "theirs"]);
      for (const store of stores) await store.close();
    });
  });

  test("a checkpoint whose piece is damaged or gone isn't one", async () => {
    await withStore({}, async (store, server) => {
      const bytes = bytesOf(2_500_000);
      await store.saveCheckpoint("e", 0, 0, 4, bytes);
      const [key = ""] = (await tell(server.url, "KEYS", "qstream:{e}:checkpoint:*")) as string[];
      await tell(server.url, "HSET", key, "1", "x".repeat(1 << 20));
      assert.is(await store.loadCheckpoint("e", 0, 4), undefined);
      await tell(server.url, "HDEL", key, "2");
      assert.is(await store.loadCheckpoint("e", 0, 4), undefined);
      await store.saveCheckpoint("e", 0, 0, 4, bytes);
      assert.is((await store.loadCheckpoint("e", 0, 4))?.byteLength, 2_500_000);
    });
  });

  test("a checkpoint that was fenced half-written leaves nothing, and one that is too large is refused", async () => {
    await withStore({}, async (store, server) => {
      const saving = store.saveCheckpoint("e", 0, 0, 4, bytesOf(30_000_000));
      while (((await tell(server.url, "KEYS", "qstream:{e}:checkpoint:*")) as string[]).length === 0) await wait(1);
      const other = await openStore(server.url, options);
      await other.fence("e", [0]);
      assert.is(await saving, "fenced");
      assert.equal(await tell(server.url, "KEYS", "qstream:{e}:checkpoint:*"), []);
      await other.close();
      // Its bytes are never looked at.
      const large = Object.defineProperty(new Uint8Array(1), "byteLength", { value: 2 ** 30 });
      await refuses("LIMIT_EXCEEDED", () => store.saveCheckpoint("e", 0, 1, 4, large));
    });
  });
}

test.run();
