// specs: waits
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { startActors, type ActorSystem } from "../../../../lib/actors/actor-system.ts";
import { actor } from "../../../../lib/actors/actor.ts";
import {
  hasRedisServer,
  startRedisServer,
  type RedisServer,
  type RedisServerOptions,
} from "../../../kit/redis-server.ts";
import { fillDisk, freeDisk, mountSmallDisk } from "../../../kit/small-disk.ts";
import { suite } from "../../../kit/suite.ts";
import { tell } from "../../stores/own-redis.ts";
import { codeOf } from "./kept-system.ts";

const test = suite("durable actors whose store is away");

const counter = actor({
  kind: "counter",
  durable: { snapshotEvery: 5 },
  init: (_key: string) => ({ count: 0 }),
  receive: { add: (state) => ++state.count, get: (state) => state.count },
});

/** Starts a system, whose events are told by their kinds. */
function start(store: string): { readonly system: ActorSystem; readonly events: string[] } {
  const events: string[] = [];
  return { events, system: startActors({ store, onEvent: ({ kind }) => events.push(kind) }) };
}

function add(system: ActorSystem, timeoutMs = 20_000): Promise<number> {
  return system.entity(counter, "a").ask("add", undefined, { timeoutMs });
}

/** Does something while the store is away, and looks that nothing gets lost and nothing is done twice. */
async function through(store: string, away: () => Promise<void>, back: () => Promise<void>): Promise<void> {
  const { system, events } = start(store);
  for (let number = 1; number <= 10; number++) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    assert.is(await add(system), number);
  }
  await away();
  const answers: number[] = [];
  for (let left = 10; left > 0; left--) void add(system).then((count) => answers.push(count));
  await wait(400);
  assert.equal(answers, []);
  await back();
  assert.is(await add(system), 21);
  assert.equal(answers, [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.ok(events.includes("store-away"));
  await system.close();
  const again = start(store);
  assert.is(await again.system.entity(counter, "a").ask("get"), 21);
  await again.system.close();
}

const folder = await mkdtemp(join(tmpdir(), "qstream-spec-away-"));
const disk = mountSmallDisk(join(folder, "disk"));
test.after(async () => {
  disk?.unmount();
  await rm(folder, { recursive: true, force: true });
});

if (disk !== undefined) {
  test("a full disk is waited for, until there is space", async () => {
    await through(
      `lmdb:${disk.path}/store`,
      async () => fillDisk(disk.path),
      async () => freeDisk(disk.path),
    );
  });
}

test("a store that can't be opened is named, and a system on it can be closed", async () => {
  const { system } = start(`lmdb:/proc/nothing`);
  assert.is(await codeOf(() => add(system)), "STORE_UNAVAILABLE");
  await system.close();
});

async function withRedis(options: RedisServerOptions, body: (server: RedisServer) => Promise<void>): Promise<void> {
  const server = await startRedisServer(options);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
}

if (await hasRedisServer()) {
  test("a Redis that is killed, and comes back with what it had, is waited for", async () => {
    await withRedis({ appendOnly: true }, (server) => {
      return through(
        server.url,
        () => server.kill(),
        () => server.restart(),
      );
    });
  });

  test("a Redis that lost what it had confirmed ends the actors that it had", async () => {
    await withRedis({}, async (server) => {
      const { system } = start(server.url);
      await add(system);
      await server.restart({ empty: true });
      assert.is(await codeOf(() => add(system)), "STORE_LOST");
      assert.is(await codeOf(() => add(system)), "STORE_LOST");
      await system.close();
    });
  });

  test("a Redis without memory refuses, and what was asked is void", async () => {
    await withRedis({}, async (server) => {
      const { system } = start(server.url);
      await add(system);
      await tell(server.url, "CONFIG", "SET", "maxmemory", "1");
      assert.is(await codeOf(() => add(system)), "STORE_REFUSED");
      await tell(server.url, "CONFIG", "SET", "maxmemory", "0");
      assert.is(await add(system), 2);
      await system.close();
    });
  });

  test("a system is closed though its store is away", async () => {
    await withRedis({}, async (server) => {
      const { system } = start(server.url);
      await add(system);
      await server.kill();
      const asked = codeOf(() => add(system));
      await wait(100);
      const begun = performance.now();
      await system.close();
      assert.ok(performance.now() - begun < 10_000);
      assert.is(await asked, "SESSION_CLOSED");
    });
  });
}

test.run();
