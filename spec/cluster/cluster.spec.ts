// specs: waits
// specs: timeout 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster } from "../../lib/cluster/open-cluster.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import type { ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { troubledSums } from "./fault-flows.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";

const test = suite("a cluster of processes");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: Sums): Sums => found.toSorted((left, right) => left.key - right.key);

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("cluster");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 3 });

  test("a flow runs on its machines, and gives what it gives here", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 50_000;
    const execution = await sums.start({ upTo }, { on: session });
    const outputs = await execution.outputs;
    assert.equal(sorted(outputs.sums), sumsOf(upTo));
    assert.ok((execution.metrics?.steps[0]?.metrics.objectsRead ?? 0) === upTo);
    const listed = await session.list();
    assert.is(listed.machines.length, 3);
    assert.is(listed.executions.find((one) => one.execution === execution.id)?.status, "done");
  });

  test("how often a task may fail goes with the flow that is submitted", async () => {
    await using session = await cluster({ url: machines.url });
    const args = { count: 3000, everyMs: 0, trouble: "throw", file: "" } as const;
    const told: unknown[] = [];
    const onEvent = (event: ExecutionEvent): void => {
      if (event.kind === "task-failed" && event.attempt === 1) told.push(event.attempts);
    };
    const run = (attempts: number): Promise<unknown> => troubledSums.run(args, { on: session, attempts, onEvent });
    assert.is(await codeOf(run(1)), "STEP_FAILED");
    assert.equal(told, []);
    assert.is(await codeOf(run(2)), "STEP_FAILED");
    assert.is(told.at(-1), 2);
    assert.is(await codeOf(run(0)), "OPTION_INVALID");
  });

  test("a machine that is killed costs only its work", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 400_000;
    const seen: string[] = [];
    const gate = join(folder.path, "recovered");
    const onEvent = ({ kind }: ExecutionEvent): void => {
      seen.push(kind);
      if (kind === "recovered") writeFileSync(gate, "");
    };
    const execution = await slowSums.start({ upTo, gate }, { on: session, onEvent });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await wait(500);
    await machines.machines.pop()?.kill();
    const outputs = await execution.outputs;
    assert.ok(seen.includes("recovered"), seen.filter((kind) => kind !== "progress").join());
    assert.equal(sorted(outputs.sums), sumsOf(upTo));
  });

  test("an execution is cancelled by its client, and when its client is gone", async () => {
    const session = await cluster({ url: machines.url });
    const first = await slowSums.start({ upTo: 10_000_000 }, { on: session });
    await wait(300);
    first.cancel("enough");
    assert.is(await codeOf(first.outputs), "ABORTED");
    const second = await slowSums.start({ upTo: 10_000_000 }, { on: session });
    await session.close();
    assert.is(await codeOf(second.outputs), "SESSION_CLOSED");
    await using other = await cluster({ url: machines.url });
    for (let turn = 0; turn < 100; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- it waits
      const { executions } = await other.list();
      if (executions.find(({ execution }) => execution === second.id)?.status === "cancelled") return;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await wait(100);
    }
    assert.unreachable("it still runs");
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

async function codeOf(outputs: Promise<unknown>): Promise<string> {
  return outputs.then(
    () => "it succeeded",
    (error: unknown) => (error instanceof QStreamError ? error.code : String(error)),
  );
}

test.run();
