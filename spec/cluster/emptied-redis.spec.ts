// specs: waits
// specs: timeout 120 s
// A Redis that has lost what a cluster kept in it: who led, and under which epoch.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { cluster } from "../../lib/index.ts";
import {
  headReady,
  startClusterProcess,
  workerReady,
  type ClusterProcess,
} from "../../lib/testing/loopback-cluster.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { slowSums, sums } from "./flows.ts";

const test = suite("a Redis that has lost what it kept");
const leaseMs = 1500;

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const folder = await mkdtemp(join(tmpdir(), "qstream-emptied-"));
  const common = ["--lease-ms", String(leaseMs)];
  let bind = "127.0.0.1:0";
  const startHead = async (): Promise<ClusterProcess> => {
    const head = await startClusterProcess(["head", "--store", redis.url, "--bind", bind, ...common], headReady, {});
    bind = new URL(head.url).host;
    return head;
  };
  let head = await startHead();
  const words = ["worker", "--join", head.url, "--slots", "1", "--bind", "127.0.0.1:0", ...common];
  const worker = await startClusterProcess(words, workerReady, {});
  const { url } = head;

  /** Epochs under which the head that runs now has led. */
  const epochs = (): readonly number[] =>
    [...head.output().matchAll(/leads, epoch (\d+)/gu)].map(([, epoch]) => Number(epoch));

  /** Once a head leads under this epoch, the next flow runs, on the machine that was there before. */
  const nextOneRuns = async (under: number): Promise<void> => {
    // Before, a head may lead for a moment, until it hears of a later epoch.
    await until(() => Promise.resolve(epochs().at(-1) === under), `no head leads under epoch ${under}`);
    await until(async () => {
      await using session = await cluster({ url });
      return (await session.list()).machines.some(({ id }) => id === worker.id);
    }, `the worker doesn't come back: ${worker.output()}\n${head.output()}`);
    await using session = await cluster({ url });
    assert.is((await sums.run({ upTo: 10 }, { on: session })).sums.length, 7);
  };

  test("emptied under a cluster, it fails what runs, and the next one runs", async () => {
    await using session = await cluster({ url });
    const gate = join(folder, "never");
    const execution = await slowSums.start({ upTo: 10_000, gate }, { on: session });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await redis.restart({ empty: true });
    const error: unknown = await execution.outputs.catch((failure: unknown) => failure);
    assert.is((error as { code?: string }).code, "STORE_LOST", String(error));
    await nextOneRuns(2);
    assert.match(head.output(), "STORE_LOST");
    // It remembers under which epoch it led.
    assert.equal(epochs(), [1, 2]);
    await writeFile(gate, "");
  });

  test("emptied while no head ran, it has heads begin above the epochs that workers know", async () => {
    await head.kill();
    await redis.restart({ empty: true });
    head = await startHead();
    await nextOneRuns(3);
    assert.equal(epochs(), [1, 3]);
    assert.match(head.output(), /HEAD_DEPOSED.*under epoch 1, and another one under epoch 2/u);
    assert.match(worker.output(), /HEAD_DEPOSED.*under epoch 1, which isn't above/u);
  });

  test("having lost only the latest words, it gives no epoch to two heads", async () => {
    await head.kill();
    const client = createClient({ url: redis.url });
    await client.connect();
    const [leader = ""] = await client.keys("*leader");
    await client.hSet(leader, { epoch: "2", until: "0" });
    client.destroy();
    head = await startHead();
    await nextOneRuns(4);
    assert.equal(epochs(), [3, 4]);
  });

  test.after(async () => {
    await worker.kill();
    await head.kill();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let turn = 0; turn < 100; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- look by look
    if (await holds().catch(() => false)) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(otherwise);
}

test.run();
