// specs: waits
// specs: timeout 120 s
// A Redis that is killed, restarted, emptied or paused while flows run: they wait and go on, or say what was lost.

import { setTimeout as wait } from "node:timers/promises";
import { join } from "node:path";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { local, QStreamError, type Isolation } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  type FaultedRun,
  type Faults,
} from "../kit/faults.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { hashJoin, keyedSum, type Pace } from "./flows.ts";

const test = suite("faults: Redis store");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("redis-faults");
const pace: Pace = { count: 24_000, everyMs: 8 };
let files = 0;

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

/** Runs a flow with lineage in a Redis of its own, to which a script does something. */
async function run(
  flow: typeof keyedSum,
  seed: number,
  script: (faults: Faults, redis: RedisServer) => Promise<void>,
  { isolation = "thread", storeWaitMs }: { readonly isolation?: Isolation; readonly storeWaitMs?: number } = {},
): Promise<FaultedRun<{ sums: unknown[] }>> {
  const redis = await startRedisServer({ appendOnly: true });
  try {
    await using session = await local({
      slots: 2,
      isolation,
      store: redis.url,
      checkpointEveryMs: 80,
      ...(storeWaitMs === undefined ? {} : { storeWaitMs }),
    });
    const gate = join(folder.path, `gate-${seed}-${files++}`);
    return await runWithFaults(flow, { ...pace, gate }, { on: session, seed, gate }, (faults) => script(faults, redis));
  } finally {
    await redis.stop();
  }
}

/** Beyond these bytes it takes no writes; 0 for as many as there are. */
async function limitMemory({ url }: RedisServer, bytes: number): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  await client.configSet("maxmemory", String(bytes));
  await client.close();
}

const expected = async (flow: typeof keyedSum): Promise<string> => {
  const outputs = await flow.run({ ...pace, everyMs: 0 }, { slots: 2, store: "memory" });
  return digestOf(Object.values(outputs)[0] ?? []);
};

const resultOf = ({ outputs }: FaultedRun<object>): string => digestOf(Object.values(outputs)[0] as unknown[]);

if (!inSlot && hasProcesses() && (await hasRedisServer())) {
  test("killed, and started again with its append-only file: the execution waits and goes on", async () => {
    const ended = await run(keyedSum, 41, async (faults, redis) => {
      await faults.after(100 + faults.random() * 250);
      await redis.kill();
      faults.log.push("redis is killed");
      await wait(700);
      await redis.restart();
      faults.log.push("redis is back");
    });
    assert.is(resultOf(ended), await expected(keyedSum));
    assert.ok(ended.elapsedMs > 700, `${ended.elapsedMs} ms: it didn't wait`);
  }, 60_000);

  test("killed in the same moment as a slot", async () => {
    const flow = hashJoin as unknown as typeof keyedSum;
    const script = async (faults: Faults, redis: RedisServer): Promise<void> => {
      await faults.after(100 + faults.random() * 250);
      faults.hit();
      await redis.kill();
      await wait(300);
      await redis.restart();
    };
    const ended = await run(flow, 42, script, { isolation: "process" });
    assert.is(resultOf(ended), await expected(flow));
    assert.is(ended.slotsLost, 1);
  }, 60_000);

  test("paused for three seconds: the execution is only slower", async () => {
    const ended = await run(keyedSum, 43, async (faults, redis) => {
      await faults.after(100 + faults.random() * 250);
      redis.pause();
      await wait(3000);
      redis.resume();
    });
    assert.is(resultOf(ended), await expected(keyedSum));
    assert.ok(ended.elapsedMs > 3000, `${ended.elapsedMs} ms`);
  }, 60_000);

  test("without memory for a while: the execution waits and goes on", async () => {
    const ended = await run(keyedSum, 45, async (faults, redis) => {
      await faults.after(100 + faults.random() * 250);
      await limitMemory(redis, 1);
      await wait(1500);
      await limitMemory(redis, 0);
    });
    assert.is(resultOf(ended), await expected(keyedSum));
    assert.ok(ended.elapsedMs > 1500, `${ended.elapsedMs} ms: it didn't wait`);
  }, 60_000);

  for (const [what, code, said, harm] of [
    ["without memory", "STORE_REFUSED", /has no memory left/u, (redis: RedisServer) => limitMemory(redis, 1)],
    ["silent", "STORE_UNAVAILABLE", /redis:/u, (redis: RedisServer) => Promise.resolve(redis.pause())],
  ] as const) {
    test(`${what} for longer than storeWaitMs: the execution fails, and says so`, async () => {
      const script = async (faults: Faults, redis: RedisServer): Promise<void> => {
        await faults.after(100 + faults.random() * 250);
        await harm(redis);
        // It fails while there is still something to read.
        while (await faults.after(50)) continue;
      };
      const error = await failure(() => run(keyedSum, 46, script, { storeWaitMs: 1000 }), code);
      assert.match(error.message, said);
    }, 60_000);
  }

  test("started again empty: the execution says that lineage was lost, and gives no result", async () => {
    let error: unknown;
    try {
      await run(keyedSum, 44, async (faults, redis) => {
        await faults.after(100 + faults.random() * 250);
        await redis.restart({ empty: true });
      });
    } catch (thrown) {
      error = thrown;
    }
    assert.ok(error instanceof QStreamError, `no error: ${String(error)}`);
    assert.ok(["STORE_LOST", "LINEAGE_REGRESSED"].includes((error as QStreamError).code), String(error));
  }, 60_000);
}

test.run();
