// specs: waits
// specs: timeout 120 s
// Executions that keep no lineage, and heads that are lost.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession, type Execution } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { failure } from "../kit/failure.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsOf } from "./flows.ts";
import { gatedSums, taggedSums } from "./placed-flows.ts";

const test = suite("executions without lineage");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: unknown): Sums => (found as { sums: Sums }).sums.toSorted((left, right) => left.key - right.key);
const count = 1000;

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("without-lineage");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({
    store: redis.url,
    machines: 1,
    heads: 2,
    headWords: ["--executions", "2"],
  });
  const url = machines.heads.map((head) => head.url).join(",");

  test("what waits goes on waiting under the next head, and what ran says that it can't be gone on with", async () => {
    await using session = await cluster({ url, store: "none" });
    const gate = join(folder.path, "gate");
    const running = await gatedSums.start({ count, gate: join(folder.path, "never") }, { on: session });
    await happens(running, "started");
    // It has a driver, which waits for a machine with a tag.
    const unplaced = await taggedSums.start({ count, gate, waitMs: 90_000 }, { on: session });
    await happens(unplaced, "waiting");
    // As many run as may.
    const queued = await gatedSums.start({ count, gate }, { on: session });
    await happens(queued, "waiting");
    await machines.head.kill();
    const { message } = await failure(() => running.outputs, "EXECUTION_FAILED");
    assert.match(message, /store "none".*without lineage nobody can go on with it/);
    await until(session, unplaced, "running");
    writeFileSync(gate, "");
    assert.equal(sorted(await queued.outputs), sumsOf(count));
    await machines.addMachine(["--tag", "gpu"]);
    assert.equal(sorted(await unplaced.outputs), sumsOf(count));
  }, 100_000);

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

async function happens(execution: Execution<unknown>, kind: string): Promise<void> {
  for await (const event of execution.events()) if (event.kind === kind) return;
  throw new Error(`it ended without ${kind}`);
}

async function until(session: ClusterSession, execution: Execution<unknown>, status: string): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- the next head may have to be found
    const { executions } = await session.list().catch(() => ({ executions: [] }));
    if (executions.find((one) => one.execution === execution.id)?.status === status) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(`${execution.id} isn't ${status}`);
}

test.run();
