// specs: waits
// specs: timeout 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { askHead } from "./ask-head.ts";
import { slowSums, sums, sumsOf } from "./flows.ts";

const test = suite("machines that are drained");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("drain");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({ store: redis.url, machines: 2, slots: 2, leaseMs: 8000 });

  test("what a machine runs moves to others, and it may go", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 600_000;
    const moved: string[] = [];
    const gate = join(folder.path, "moved");
    const execution = await slowSums.start(
      { upTo, gate },
      {
        on: session,
        onEvent: (event) => {
          if (event.kind === "recovered") moved.push(...event.channels.map(({ slot }) => slot));
        },
      },
    );
    for await (const { kind } of execution.events()) if (kind === "started") break;
    await wait(500);
    const [drained] = machines.machines;
    const answers = await askHead(machines.url, { kind: "drain", machine: drained?.id ?? "" });
    assert.equal(
      answers.map(({ kind }) => kind),
      ["welcome", "drained"],
    );
    // The client hears of it over another connection.
    for (let turn = 0; turn < 500 && moved.length === 0; turn++) await wait(50);
    writeFileSync(gate, "");
    assert.ok(
      moved.length > 0 && moved.every((slot) => !slot.startsWith(`${drained?.id}/`)),
      `moved to: ${moved.join()}`,
    );
    assert.equal(
      (await session.list()).machines.map(({ id }) => id),
      [machines.machines[1]?.id],
    );
    assert.is(await drained?.ended, 0);
    assert.match(
      drained?.output() ?? "",
      /^drained after .*: nothing needs machine .*; executions that ran here: 1$/mu,
    );
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
  });

  test("a machine that comes under load takes over what a drained one had", async () => {
    await using session = await cluster({ url: machines.url });
    const upTo = 600_000;
    const gate = join(folder.path, "taken-over");
    const execution = await slowSums.start({ upTo, gate }, { on: session });
    for await (const { kind } of execution.events()) if (kind === "started") break;
    const added = await machines.addMachine();
    await askHead(machines.url, { kind: "drain", machine: machines.machines[1]?.id ?? "" });
    assert.is(await machines.machines[1]?.ended, 0);
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(upTo));
    assert.ok(execution.metrics?.channels.some(({ slot }) => slot.startsWith(`${added.id}/`)));
    assert.equal(sorted(await sums.run({ upTo: 1000 }, { on: session })), sumsOf(1000));
  });

  test("a machine that isn't there can't be drained", async () => {
    const answers = await askHead(machines.url, { kind: "drain", machine: "nobody" });
    const [, refused] = answers;
    assert.is(refused?.kind, "refused");
    assert.is(refused?.kind === "refused" ? refused.error.code : "", "MACHINE_UNREACHABLE");
  });

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

test.run();
