// specs: waits
// specs: timeout 120 s
// Processes of a cluster that are ended as Kubernetes, systemd and container engines end them: by SIGTERM, and some time to obey it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster, startClusterProcess, type ClusterProcess } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsOf } from "./flows.ts";
import { happens } from "./happens.ts";
import { leaderOf } from "./leader-of.ts";
import { gatedSums } from "./placed-flows.ts";

const test = suite("processes that are told to end");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);

/** As a supervisor does it. Gives the exit code. */
function terminate({ pid, ended }: ClusterProcess): Promise<number | null> {
  process.kill(pid, "SIGTERM");
  return ended;
}

/** Waits until a process has written something. */
async function says({ output }: ClusterProcess, what: RegExp): Promise<void> {
  while (!what.test(output())) await wait(20);
}

const count = 400;

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("leave");
  const redis = await startRedisServer();
  // No lease ends while the spec runs: what happens does so because somebody says so.
  const leaseMs = 20_000;
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 3, heads: 2, leaseMs });
  const [first, second, third] = machines.machines as [ClusterProcess, ClusterProcess, ClusterProcess];

  test("a worker without anything to do leaves at once, and isn't listed any more", async () => {
    await using session = await cluster({ url: machines.url });
    assert.is(await terminate(third), 0);
    assert.match(third.output(), /^drained after .*: nothing needs machine .*; executions that ran here: 0$/mu);
    const { machines: listed } = await session.list();
    assert.equal(new Set(listed.map(({ id }) => id)), new Set([first.id, second.id]));
  }, 60_000);

  test("a worker that no head knows of leaves at once", async () => {
    const words = ["worker", "--join", "ws://127.0.0.1:9", "--slots", "1"];
    const alone = await startClusterProcess(words, /^machine (?<id>\S+) at (?<url>\S+),/mu);
    assert.is(await terminate(alone), 0);
    assert.match(alone.output(), /^drained after /mu);
  }, 60_000);

  test("what runs on a worker moves to others before it leaves, and they go on", async () => {
    await using session = await cluster({ url: machines.url });
    const gate = join(folder.path, "moved");
    const moved: string[] = [];
    const execution = await gatedSums.start(
      { count, gate },
      {
        on: session,
        onEvent: (event) => {
          if (event.kind === "recovered") moved.push(...event.channels.map(({ slot }) => slot));
        },
      },
    );
    await happens(execution, "started");
    assert.is(await terminate(first), 0);
    assert.match(first.output(), /^leaves: others take over .* 25.0 s at most$/mu);
    assert.match(first.output(), /^drained after /mu);
    assert.equal(
      (await session.list()).machines.map(({ id }) => id),
      [second.id],
    );
    while (moved.length === 0) await wait(20);
    assert.ok(
      moved.every((slot) => slot.startsWith(`${second.id}/`)),
      moved.join(),
    );
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(count));
  }, 60_000);

  test("a worker that nobody can take over from leaves when its time is over, and at once where it is told so again", async () => {
    await using session = await cluster({ url: machines.url });
    const gate = join(folder.path, "alone");
    const execution = await gatedSums.start({ count, gate }, { on: session });
    await happens(execution, "started");
    process.kill(second.pid, "SIGTERM");
    await says(second, /^leaves: /mu);
    while (!(await session.list()).machines.every(({ draining }) => draining === true)) await wait(20);
    process.kill(second.pid, "SIGINT");
    assert.is(await second.ended, 130);
    assert.not.match(second.output(), /drained/u);

    const brief = await machines.addMachine(["--drain-ms", "300"]);
    await happens(execution, "recovered");
    assert.is(await terminate(brief), 0);
    assert.match(brief.output(), /^not drained within 300 ms: others make again what wasn't handed over$/mu);

    await machines.addMachine();
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(count));
  }, 100_000);

  test("a head that is told to end resigns: the one that waits leads before a lease is over, and lets go whoever was leaving", async () => {
    const leader = await leaderOf(machines);
    await using session = await cluster({ url: machines.heads.map(({ url }) => url).join() });
    const gate = join(folder.path, "next");
    const execution = await gatedSums.start({ count, gate }, { on: session });
    await happens(execution, "started");
    const [leaving] = machines.machines.slice(-1) as [ClusterProcess];
    process.kill(leaving.pid, "SIGTERM");
    while (!(await session.list()).machines.every(({ draining }) => draining === true)) await wait(20);
    const began = performance.now();
    assert.is(await terminate(leader), 0);
    assert.not.match(leader.output(), /^waits: /mu);
    const next = await leaderOf(machines, leader);
    // It looks four times in a lease.
    assert.ok(performance.now() - began < leaseMs, `${performance.now() - began} ms`);
    assert.is.not(next, leader);
    assert.is(await leaving.ended, 0);
    assert.match(leaving.output(), /^drained after /mu);
    // This one is told not to wait.
    const last = await machines.addMachine(["--drain-ms", "0"]);
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(count));
    assert.is(await terminate(last), 0);
    assert.not.match(last.output(), /leaves|drained/u);
  }, 100_000);

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

test.run();
