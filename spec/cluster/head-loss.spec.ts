// specs: waits
// specs: timeout 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster } from "../../lib/index.ts";
import type { Execution } from "../../lib/flow/execution.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import { childrenOf } from "./children.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";
import { leaderOf } from "./leader-of.ts";

const test = suite("heads and drivers that are lost");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: unknown): Sums => (found as { sums: Sums }).sums.toSorted((left, right) => left.key - right.key);
const upTo = 300_000;

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("head-loss");
  const redis = await startRedisServer({ appendOnly: true });
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, heads: 2, leaseMs: 5000 });

  test("a driver that is killed is started again, and goes on", async () => {
    const leader = await leaderOf(machines);
    await using session = await cluster({ url: leader.url });
    const execution = await slowSums.start({ upTo }, { on: session });
    await begun(execution);
    // The one that runs it, and perhaps the one that waits for the next.
    for (const driver of childrenOf(leader.pid)) process.kill(driver, "SIGKILL");
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
  });

  test("Redis that is killed and comes again holds things up, and no more", async () => {
    await using session = await cluster({ url: (await leaderOf(machines)).url });
    const execution = await slowSums.start({ upTo }, { on: session });
    await begun(execution);
    await redis.kill();
    await wait(500);
    await redis.restart();
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
  });

  test("a head that is stopped for longer than its lease does no harm when it goes on", async () => {
    const leader = await leaderOf(machines);
    const session = await cluster({ url: leader.url, detach: true });
    const execution = await slowSums.start({ upTo }, { on: session });
    await begun(execution);
    leader.pause();
    const next = await leaderOf(machines, leader);
    await using other = await cluster({ url: next.url });
    const followed = await other.follow(execution.id);
    leader.resume();
    assert.equal(sorted(await followed.outputs), sumsOf(upTo));
    const { executions } = await other.list();
    assert.is(executions.find((one) => one.execution === execution.id)?.status, "done");
    await session.close();
  });

  test("a head that is killed is replaced by the one that waits, and what ran goes on", async () => {
    const leader = await leaderOf(machines);
    const session = await cluster({ url: leader.url, detach: true });
    const execution = await slowSums.start({ upTo }, { on: session });
    await begun(execution);
    await leader.kill();
    const next = await leaderOf(machines, leader);
    await using other = await cluster({ url: next.url });
    const followed = await other.follow(execution.id);
    assert.equal(sorted(await followed.outputs), sumsOf(upTo));
    // What had ended before is known, too.
    const { executions } = await other.list();
    const done = executions.filter(({ status }) => status === "done");
    // With what they did, since a driver went on with each at least.
    for (const { execution: id, metrics } of done) assert.ok((metrics?.rowsRead ?? 0) > 0, id);
    assert.is(done.length, 4);
    assert.equal(sorted(await sums.run({ upTo: 100 }, { on: other })), sumsOf(100));
    await session.close();
  });

  test("a command whose head is killed goes on with the next one, and one that is begun while none leads waits for it", async () => {
    const leader = await leaderOf(machines);
    const lost = machines.heads.find((head) => head !== leader);
    const waiting = await machines.addHead(["--bind", new URL(lost?.url ?? "").host]);
    const gate = join(folder.path, "gate");
    const at = ["--cluster", `${leader.url},${waiting.url}`];
    const words = ["--arg", `upTo=${upTo}`, "--arg", `gate=${gate}`, "--quiet", "--json", "-"];
    const running = qstream(["run", `${join(projectFolder, "spec/cluster/flows.ts")}#slowSums`, ...at, ...words]);
    await using session = await cluster({ url: waiting.url });
    const runs = async (): Promise<boolean> =>
      (await session.list()).executions.some((one) => one.status === "running");
    for (let turn = 0; turn < 200 && !(await runs()); turn++) await wait(50);
    await leader.kill();
    const listed = qstream(["ps", ...at]);
    assert.is((await listed).code, 0);
    assert.match((await listed).stdout, /running/u);
    writeFileSync(gate, "");
    const { code, stdout, stderr } = await running;
    assert.is(code, 0, stderr);
    assert.equal(sorted((JSON.parse(stdout) as { outputs: unknown }).outputs), sumsOf(upTo));
  });

  test.after(async () => {
    await machines.stop();
    folder.remove();
    await redis.stop();
  });
}

/** Waits until a part of the work is done. */
async function begun(execution: Execution<unknown>): Promise<void> {
  for await (const { kind } of execution.events()) if (kind === "started") break;
  await wait(500);
}

test.run();
