// specs: alone
// specs: timeout 120 s
// A cluster of processes on this machine in which something goes wrong: what comes out is what one thread gives.

import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { ExecutionEvent } from "../../actors/scheduler/execution-events.ts";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { failure } from "../kit/failure.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsAndJoin, troubledSums } from "./fault-flows.ts";

const test = suite("faults of a cluster");

type Outputs = Awaited<ReturnType<typeof sumsAndJoin.run>>;
const leaseMs = 2500;

if (!inSlot && (await hasRedisServer())) {
  const folder = await mkdtemp(join(tmpdir(), "qstream-cluster-faults-"));
  const redis = await startRedisServer({ appendOnly: true });
  // Heaps are small so that one that runs over does it soon.
  const machines = await LoopbackCluster.start({
    store: redis.url,
    machines: 3,
    leaseMs,
    workerWords: ["--memory", "128MB"],
  });
  const pace = { count: 24_000, everyMs: 45 };
  const expected = ordered(await sumsAndJoin.run({ ...pace, everyMs: 0 }, { slots: 1 }));

  /** Runs the flow, and does something once it is under way. Gives the kinds of events. */
  const runWith = async (
    happens: () => Promise<void>,
    onEvent: (event: ExecutionEvent) => void = () => {},
  ): Promise<readonly string[]> => {
    await using session = await cluster({ url: machines.url });
    const kinds: string[] = [];
    const noted = (event: ExecutionEvent): void => {
      kinds.push(event.kind);
      onEvent(event);
    };
    const execution = await sumsAndJoin.start(pace, { on: session, onEvent: noted });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await wait(300);
    await happens();
    assert.equal(ordered(await execution.outputs), expected);
    return kinds;
  };

  /** Ends a machine as a crash does. Another has to be started in its place. */
  const kill = async (): Promise<void> => machines.machines.pop()?.kill();

  test("a worker that is paused beyond its lease is replaced, and does no harm when it goes on", async () => {
    const [worker] = machines.machines;
    const kinds = await runWith(async () => {
      worker?.pause();
      // A driver gives it up after one lease, the head after two.
      await wait(2 * leaseMs + 500);
      worker?.resume();
    });
    assert.ok(kinds.includes("recovered"), kinds.join());
    await until(() => /^joined .*\n[^]*^joined /mu.test(worker?.output() ?? ""), "it didn't join again");
    assert.match(worker?.output() ?? "", /^given up by the cluster: comes back empty, as machine \S+ at ws:\S+$/mu);
  });

  test("all workers are paused beyond their lease: another driver goes on once they are back", async () => {
    await runWith(async () => {
      for (const worker of machines.machines) worker.pause();
      await wait(leaseMs + 500);
      for (const worker of machines.machines) worker.resume();
    });
  });

  test("a worker is killed while another is recovered", async () => {
    let second: Promise<void> | undefined;
    const kinds = await runWith(kill, ({ kind }) => {
      if (kind === "slot-lost") second ??= kill();
    });
    await second;
    assert.ok(kinds.filter((kind) => kind === "slot-lost").length >= 2, kinds.join());
    await Promise.all([machines.addMachine(), machines.addMachine()]);
  });

  test("a slot that runs out of heap is started again, with its work", async () => {
    await using session = await cluster({ url: machines.url });
    const kinds: string[] = [];
    const args = { count: 9000, everyMs: 20, trouble: "heap", file: join(folder, "heap") } as const;
    const onEvent = ({ kind }: ExecutionEvent): void => void kinds.push(kind);
    const { sums } = await troubledSums.run(args, { on: session, onEvent });
    assert.ok(kinds.includes("recovered"), kinds.join());
    assert.is(total(sums), (args.count * (args.count - 1)) / 2);
    assert.is((await session.list()).machines.length, 3);
  });

  test("user code that throws fails its execution with the place, and nothing else", async () => {
    await using session = await cluster({ url: machines.url });
    const args = { count: 9000, everyMs: 0, trouble: "throw", file: join(folder, "throw") } as const;
    const error = await failure(() => troubledSums.run(args, { on: session }), "STEP_FAILED");
    assert.match(error.message, /"troubled" threw: this input is bad/u);
    assert.equal(ordered(await sumsAndJoin.run({ ...pace, everyMs: 0 }, { on: session })), expected);
  });

  test("Redis is killed, and started again with what it had written", async () => {
    await runWith(async () => {
      await redis.kill();
      await wait(700);
      await redis.restart();
    });
  });

  test("two executions at once lose a machine, and both are right", async () => {
    // The other may be over before the lease is.
    const both = await Promise.all([runWith(async () => wait(300)), runWith(kill)]);
    assert.ok(both.flat().includes("recovered"), both.flat().join());
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

function ordered({ sums, joined }: Outputs): Outputs {
  return { sums: multiset(sums), joined: multiset(joined) };
}

function total(sums: readonly { readonly value: number }[]): number {
  return sums.reduce((sum, { value }) => sum + value, 0);
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (let turn = 0; turn < 300; turn++) {
    if (holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(otherwise);
}

test.run();
