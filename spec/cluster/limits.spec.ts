// specs: waits
// specs: timeout 120 s
// How many executions a cluster runs at once.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession } from "../../lib/index.ts";
import type { Execution } from "../../lib/flow/execution.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { slowSums, sumsOf } from "./flows.ts";

const test = suite("executions at once on a cluster");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: unknown): Sums => (found as { sums: Sums }).sums.toSorted((left, right) => left.key - right.key);
const upTo = 1000;

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("limits");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({
    store: redis.url,
    machines: 1,
    heads: 2,
    headWords: ["--executions", "1"],
  });
  const url = machines.heads.map((head) => head.url).join(",");

  test("one more than run at once waits for its turn, is told so, can be cancelled, and outlives the head", async () => {
    await using session = await cluster({ url });
    const gates = [0, 1, 2].map((index) => join(folder.path, `gate-${index}`));
    const executions: Execution<unknown>[] = [];
    for (const gate of gates) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      executions.push(await slowSums.start({ upTo, gate }, { on: session }));
    }
    const [first, second, third] = executions as [Execution<unknown>, Execution<unknown>, Execution<unknown>];
    assert.match(await missingOf(second), "the end of one of the 1 executions that run");
    assert.match(await missingOf(third), "after 1 that came before");
    for await (const { kind } of first.events()) if (kind === "started") break;
    assert.equal(await statusesOf(session, executions), ["running", "waiting", "waiting"]);
    second.cancel("nobody wants it");
    const { message } = await failure(() => second.outputs, "ABORTED");
    assert.match(message, "nobody wants it");
    assert.equal(await statusesOf(session, executions), ["running", "cancelled", "waiting"]);
    // Another head has them in the same order.
    await machines.head.kill();
    await until(session, async () => (await statusesOf(session, executions)).join() === "running,cancelled,waiting");
    writeFileSync(gates[0] ?? "", "");
    assert.equal(sorted(await first.outputs), sumsOf(upTo));
    await until(session, async () => (await statusesOf(session, executions)).at(-1) === "running");
    writeFileSync(gates[2] ?? "", "");
    assert.equal(sorted(await third.outputs), sumsOf(upTo));
  }, 100_000);

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

/** What an execution that waits is told to wait for. */
async function missingOf(execution: Execution<unknown>): Promise<string> {
  for await (const event of execution.events()) if (event.kind === "waiting") return event.missing;
  return "";
}

async function statusesOf(
  session: ClusterSession,
  executions: readonly Execution<unknown>[],
): Promise<readonly string[]> {
  const { executions: listed } = await session.list();
  return executions.map(({ id }) => listed.find(({ execution }) => execution === id)?.status ?? "unknown");
}

/** @param holds - may fail while another head is looked for */
async function until(session: ClusterSession, holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- look by look
    if (await holds().catch(() => false)) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(JSON.stringify(await session.list()));
}

test.run();
