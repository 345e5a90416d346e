// specs: waits
// specs: timeout 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createClient } from "redis";
import * as assert from "uvu/assert";
import { cluster, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { childrenOf } from "./children.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";

const test = suite("machines and clients of a cluster");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("machines");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, leaseMs: 4000 });

  test("a machine that comes while an execution runs takes over from those that are lost", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 600_000;
    const gate = join(folder.path, "lost");
    const execution = await slowSums.start({ upTo, gate }, { on: session });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    const added = await machines.addMachine();
    const lost = machines.machines.splice(0, 2);
    await Promise.all(lost.map((machine) => machine.kill()));
    writeFileSync(gate, "");
    assert.equal(sorted((await execution.outputs) as { sums: Sums }), sumsOf(upTo));
    assert.ok(execution.metrics?.channels.some(({ slot }) => slot.startsWith(`${added.id}/`)));
    await until(session, ({ machines: listed }) => listed.map(({ id }) => id).join() === added.id);
    await machines.addMachine();
  });

  test("a machine that was stopped for long comes back empty, under another name", async () => {
    await using session = await cluster({ url: machines.url });
    const [machine] = machines.machines;
    machine?.pause();
    await until(session, ({ machines: listed }) => listed.length === 1);
    machine?.resume();
    await until(session, ({ machines: listed }) => listed.length === 2);
    const { machines: listed } = await session.list();
    assert.ok(listed.every(({ id }) => id !== machine?.id));
    assert.equal(sorted(await sums.run({ upTo: 5000 }, { on: session })), sumsOf(5000));
  });

  test("an execution is cancelled a lease after its client is gone, but not with detach", async () => {
    await using watching = await cluster({ url: machines.url });
    const detached = await cluster({ url: machines.url, detach: true });
    const goesOn = await slowSums.start({ upTo: 200_000 }, { on: detached });
    await detached.close();
    await until(watching, ({ executions }) => executions.find((one) => one.execution === goesOn.id)?.status === "done");
    const { sums: found } = (await (await watching.follow(goesOn.id)).outputs) as { readonly sums: Sums };
    assert.equal(sorted({ sums: found }), sumsOf(200_000));
  });

  test("nothing is left behind: no driver but the spare one, no lineage, the ends of the last hundred", async () => {
    await using session = await cluster({ url: machines.url });
    for (let turn = 0; turn < 5; turn++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sums.run({ upTo: 10 }, { on: session });
    }
    await wait(1800);
    assert.is(childrenOf(machines.head.pid).length, 1);
    const redisClient = createClient({ url: redis.url });
    await redisClient.connect();
    const keys = await redisClient.keys("*");
    redisClient.destroy();
    const { executions } = await session.list();
    const kinds = keys.map((key) => key.replace(/^qstream:/u, "").replace(/(run-|:)[\da-f]{12,64}$/u, "$1*"));
    assert.is(kinds.filter((kind) => kind === "{cluster}:execution:run-*").length, executions.length);
    assert.equal(
      [...new Set(kinds)].toSorted(),
      [
        "store",
        "{cluster}:bundle:*",
        "{cluster}:bundles",
        "{cluster}:ended",
        "{cluster}:execution:run-*",
        "{cluster}:executions",
        "{cluster}:leader",
        "{cluster}:leases",
        "{cluster}:machines",
        "{cluster}:measured",
        "{cluster}:measures",
        "{cluster}:uses",
      ],
      keys.join("\n"),
    );
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

async function until(
  session: ClusterSession,
  holds: (listing: Awaited<ReturnType<ClusterSession["list"]>>) => boolean,
): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- it waits
    if (holds(await session.list())) return;
    // oxlint-disable-next-line no-await-in-loop -- see above
    await wait(100);
  }
  assert.unreachable(JSON.stringify(await session.list()));
}

test.run();
