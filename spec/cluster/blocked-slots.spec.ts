// specs: waits
// specs: timeout 240 s
// User code that keeps a slot of a cluster from its event loop: its machine is heard all the same. Where that takes too long, the
// slot is replaced, and the execution goes on, or fails with the step; others go on in any case.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { machineOf } from "../../actors/transport/wire/slots-on-wire.ts";
import { cluster, type ClusterSession, type ExecutionEvent, type QStreamError } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { sameMultiset } from "../../lib/testing/multiset.ts";
import { count, looping } from "../faults/looping.ts";
import { failure } from "../kit/failure.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { blockedSums } from "./blocking-flows.ts";
import { slowSums, sumsOf } from "./flows.ts";

const test = suite("slots of a cluster whose threads are kept");

// Long enough for a machine that is busy with other specs: a slot that is only slow must not be taken for one that hangs.
const turnMs = 2000;
const leaseMs = 3000;
const all = Array.from({ length: count }, (_, n) => n);

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("blocked-slots");
  const redis = await startRedisServer();
  const [patient, watching] = await Promise.all([
    LoopbackCluster.start({ store: redis.url, leaseMs, machines: 1, slots: 2 }),
    LoopbackCluster.start({
      store: redis.url.replace(/0$/u, "1"),
      leaseMs,
      workerWords: ["--turn-ms", String(turnMs)],
    }),
  ]);

  test("a machine whose slots are kept for longer than its lease is heard", async () => {
    await using session = await cluster({ url: patient.url });
    const before = await slotsOf(session);
    const kinds: string[] = [];
    const onEvent = ({ kind }: ExecutionEvent): void => void kinds.push(kind);
    const [count, gate] = [10_000, join(folder.path, "blocked")];
    const execution = await blockedSums.start({ count, gate }, { on: session, onEvent });
    // oxlint-disable-next-line no-await-in-loop -- look by look
    while (!["works", "waits"].every((how) => existsSync(`${gate}-${how}`))) await wait(20);
    await wait(1.3 * leaseMs);
    assert.equal(await slotsOf(session), before);
    writeFileSync(gate, "");
    assert.ok(sameMultiset((await execution.outputs).sums, sumsOf(count)));
    assert.not.ok(kinds.includes("slot-lost"), kinds.join());
    assert.equal(await slotsOf(session), before);
    for (const { output } of patient.machines) assert.is((output().match(/^joined /gmu) ?? []).length, 1, output());
  });

  /** Runs what hangs so often, and another execution beside it, which ends behind it. */
  const hang = async (times: number, attempts: number): Promise<Hung> => {
    const [file, gate] = ["times", "gate"].map((name) => join(folder.path, `${name}-${times}`)) as [string, string];
    await using session = await cluster({ url: watching.url });
    const before = await slotsOf(session);
    const upTo = 100_000;
    const other = await slowSums.start({ upTo, gate }, { on: session, attempts: 10 });
    for await (const { kind } of other.events()) if (kind === "started") break;
    const lost: QStreamError[] = [];
    const onEvent = (event: ExecutionEvent): void => {
      if (event.kind === "slot-lost") lost.push(event.error as QStreamError);
    };
    const options = { on: session, attempts, limits: { parcelObjects: 100 }, onEvent };
    const outcome = await Promise.allSettled([looping.run({ where: "task", times, file }, options)]);
    writeFileSync(gate, "");
    assert.ok(sameMultiset((await other.outputs).sums, sumsOf(upTo)));
    const replaced = (slots: readonly string[]): boolean =>
      slots.length === before.length && slots.join() !== before.join();
    let after = await slotsOf(session);
    // oxlint-disable-next-line no-await-in-loop -- another slot is on its way
    for (; !replaced(after); after = await slotsOf(session)) await wait(50);
    assert.equal(after.map(machineOf), before.map(machineOf));
    return { outcome: outcome[0], lost, happened: statSync(file).size };
  };

  test("a loop that ends at the second try: the slot is replaced, and both executions are right", async () => {
    const { outcome, lost, happened } = await hang(1, 2);
    assert.ok(outcome.status === "fulfilled" && sameMultiset(outcome.value.rows, all));
    assert.is(happened, 1);
    assert.match(lost[0]?.message ?? "", /user code kept it from its event loop for \d+\.\d s/u);
    assert.is(lost[0]?.place.step, "looper");
  }, 100_000);

  test("a loop that never ends fails its execution with the step, and another one goes on", async () => {
    const { outcome, happened } = await hang(1000, 1);
    const error = await failure(
      () => {
        if (outcome.status === "rejected") throw outcome.reason;
      },
      "SLOT_LOST",
      { step: "looper", input: "in" },
    );
    assert.match(error.message, /user code kept it from its event loop/u);
    assert.is(happened, 1, "attempts: 1");
  }, 100_000);

  test.after(async () => {
    await Promise.all([patient.stop(), watching.stop()]);
    await redis.stop();
    folder.remove();
  });
}

interface Hung {
  readonly outcome: PromiseSettledResult<Awaited<ReturnType<typeof looping.run>>>;
  readonly lost: readonly QStreamError[];
  /** How often it began to hang. */
  readonly happened: number;
}

async function slotsOf(session: ClusterSession): Promise<readonly string[]> {
  return (await session.list()).machines.flatMap(({ slots }) => slots).toSorted();
}

test.run();
