// specs: waits
// specs: timeout 120 s
// Actors on the machines of a cluster, whose client reaches them by the head and the driver.
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster, tagged, type ClusterSession } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import kinds from "../contract/actor-module.ts";
import { actorContract } from "../contract/actors.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { qstream } from "../lib/cli/command.ts";
import spread, { mourner, resident, room } from "../lib/actors/spread-kinds.ts";

const test = suite("actors on a cluster");

async function eventually(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    if (await holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    await wait(10);
  }
  assert.unreachable(`${what} didn't come to be`);
}

if (!inSlot && (await hasRedisServer())) {
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, leaseMs: 4000 });
  let opened: Promise<ClusterSession> | undefined;
  const open = (): Promise<ClusterSession> => (opened ??= cluster({ url: machines.url }));

  actorContract(test, {
    name: "a cluster of two machines",
    start: async ({ onEvent }) => kinds.start({ on: await open(), onEvent }),
  });

  test("qstream attach reaches a system that lets others look at it, and no other", async () => {
    await using attachable = await spread.start({ on: await open(), attachable: true, onEvent: () => {} });
    await using closed = await spread.start({ on: await open(), onEvent: () => {} });
    attachable.spawn(resident, "hello", { name: "ann" }).tell("say", "first");
    const attach = (execution: string): ReturnType<typeof qstream> =>
      qstream([
        "attach",
        execution,
        "--cluster",
        machines.url,
        "--execute",
        "ask ann words",
        "--execute",
        "list resident",
      ]);
    const [seen, refused, unknown] = await Promise.all([attachable.execution, closed.execution, "run-0"].map(attach));
    assert.is(seen?.code, 0, seen?.stderr);
    assert.match(seen?.stdout ?? "", /"first"[^]*ann +resident/u);
    assert.equal([refused?.code, unknown?.code], [1, 1]);
    assert.match(refused?.stderr ?? "", "attachable: true");
    assert.match(unknown?.stderr ?? "", "EXECUTION_UNKNOWN");
  });

  test("a machine is lost: watchers are told, entities go to the other one, and those there go on", async () => {
    const system = await spread.start({ on: await open(), onEvent: () => {} });
    const residents = [system.spawn(resident, undefined), system.spawn(resident, undefined)] as const;
    const [pid, other] = await Promise.all(residents.map((each) => each.ask("pid")));
    assert.is.not(pid, other);
    const watcher = system.spawn(mourner, undefined, { place: { kind: "near", actor: residents[1] } });
    watcher.tell("watch", residents[0]);
    await watcher.ask("ends");
    const rooms = Array.from({ length: 20 }, (_, index) => system.entity(room, `room ${index}`));
    const before = await Promise.all(rooms.map((each) => each.ask("visit")));
    const ended = system.ended(residents[0]);
    const refused = failure(() => residents[0].ask("never", undefined, { timeoutMs: 60_000 }), "ACTOR_STOPPED");
    await machines.machines.find((machine) => machine.pid === pid)?.kill();
    assert.is((await ended).reason, "lost");
    await refused;
    await eventually(async () => (await watcher.ask("ends")).length === 1, "the watcher's news");
    const after = await Promise.all(rooms.map((each) => each.ask("visit", undefined, { timeoutMs: 30_000 })));
    after.forEach((visit, index) => {
      assert.is(visit.pid, other);
      assert.is(visit.visits, before[index]?.pid === pid ? 1 : 2);
    });
    await system.close();
  });

  test("actors find a machine with a tag that joined a running system, wherever they are", async () => {
    const session = await open();
    const system = await spread.start({ on: session, hosts: 4, onEvent: () => {} });
    const residents = Array.from({ length: 4 }, () => system.spawn(resident, undefined));
    await Promise.all(residents.map((each) => each.ask("pid")));
    await failure(async () => system.spawn(resident, undefined, { place: tagged("gpu") }), "PLACEMENT_IMPOSSIBLE");
    const added = await machines.addMachine(["--tag", "gpu"]);
    await eventually(async () => (await session.rebalance(system.execution)).length > 0, "a move");
    await eventually(async () => system.hosts.some(({ slot }) => slot.startsWith(added.id)), "a host there");
    const there = system.spawn(resident, undefined, { place: tagged("gpu") });
    assert.is(await there.ask("pid"), added.pid);
    // Those of hosts that went to the new machine have ended; the others run on a machine that was there before.
    const left = (await Promise.allSettled(residents.map((each) => each.ask("childOn", "gpu")))).flatMap((answer) =>
      answer.status === "fulfilled" ? [answer.value as typeof there] : [],
    );
    assert.ok(left.length > 0 && left.length < residents.length, `${left.length} are left`);
    for (const child of left) assert.is(await child.ask("pid"), added.pid); // oxlint-disable-line no-await-in-loop -- one after the other
    await system.close();
  });

  test("who loses the connection with the head is told that the system is gone", async () => {
    await using session = await cluster({ url: machines.url, leaseMs: 2000 });
    const system = await spread.start({ on: session, onEvent: () => {} });
    const target = system.spawn(resident, undefined);
    await target.ask("pid");
    const refused = failure(() => target.ask("never", undefined, { timeoutMs: 60_000 }), "SESSION_CLOSED");
    await machines.head.kill();
    await refused;
    await failure(() => target.ask("pid"), "SESSION_CLOSED");
  });

  test.after(async () => {
    await (await opened)?.close();
    await machines.stop();
    await redis.stop();
  });
}

test.run();
