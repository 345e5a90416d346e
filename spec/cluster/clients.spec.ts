// specs: waits
// specs: timeout 120 s
// What becomes of executions whose clients go away, come back or share a cluster, and what a head keeps of them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";

const test = suite("clients of a cluster");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = ({ sums: found }: { readonly sums: Sums }): Sums =>
  found.toSorted((left, right) => left.key - right.key);
const leaseMs = 5000;

/** Starts a client that waits for a slow flow's outputs, and kills it when that runs. */
async function killedClient(
  url: string,
  how: "stay" | "detach",
  upTo = 300_000,
): Promise<{ readonly execution: string; readonly killedAt: number }> {
  const program = fileURLToPath(new URL("client-program.js", import.meta.url));
  const client = spawn(process.execPath, [program, url, how, String(upTo)], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(client.stdout, "data")) as [Buffer];
  const killedAt = performance.now();
  client.kill("SIGKILL");
  await once(client, "exit");
  return { execution: said.toString("utf8").trim(), killedAt };
}

async function statusOf(session: ClusterSession, execution: string): Promise<string | undefined> {
  return (await session.list()).executions.find((one) => one.execution === execution)?.status;
}

async function endOf(session: ClusterSession, execution: string): Promise<string | undefined> {
  for (let turn = 0; turn < 600 && (await statusOf(session, execution)) === "running"; turn++) await wait(50);
  return statusOf(session, execution);
}

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 1, slots: 1, leaseMs });

  test("an execution whose client was killed is cancelled a lease later, and one that is detached goes on", async () => {
    await using session = await cluster({ url: machines.url });
    const { execution: detached } = await killedClient(machines.url, "detach");
    const { execution: left, killedAt } = await killedClient(machines.url, "stay", 10_000_000);
    assert.is(await statusOf(session, left), "running");
    assert.is(await endOf(session, left), "cancelled");
    assert.ok(performance.now() - killedAt > leaseMs / 2);
    const { executions } = await session.list();
    assert.match(executions.find(({ execution }) => execution === left)?.error ?? "", "its client has been away");
    const followed = (await (await session.follow(detached)).outputs) as { readonly sums: Sums };
    assert.equal(sorted(followed), sumsOf(300_000));
  });

  test("a client that comes back within the lease keeps its execution going", async () => {
    const { execution } = await killedClient(machines.url, "stay");
    await using session = await cluster({ url: machines.url });
    const outputs = (await (await session.follow(execution)).outputs) as { readonly sums: Sums };
    assert.equal(sorted(outputs), sumsOf(300_000));
    assert.is(await statusOf(session, execution), "done");
  });

  test("a short execution isn't kept waiting by a long one on the same slot", async () => {
    await using session = await cluster({ url: machines.url });
    const long = await slowSums.start({ upTo: 2_000_000 }, { on: session });
    for await (const { kind } of long.events()) if (kind === "started") break;
    const from = performance.now();
    assert.equal(sorted(await sums.run({ upTo: 20_000 }, { on: session })), sumsOf(20_000));
    assert.ok(performance.now() - from < 10_000, `it took ${Math.round(performance.now() - from)} ms`);
    long.cancel("enough");
    await long.outputs.catch(() => {});
  });

  test("outputs are kept for who asks later, as often as one likes", async () => {
    await using session = await cluster({ url: machines.url });
    const execution = await sums.start({ upTo: 100 }, { on: session });
    assert.equal(sorted(await execution.outputs), sumsOf(100));
    for (let turn = 0; turn < 2; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const again = (await (await session.follow(execution.id)).outputs) as { readonly sums: Sums };
      assert.equal(sorted(again), sumsOf(100));
    }
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
  });
}

test.run();
