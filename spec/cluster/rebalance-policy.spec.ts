// specs: waits
// specs: timeout 120 s
// A head that evens the load by itself: nobody asks for it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { cluster, type Execution, type ExecutionEvent } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { makeSpecFolder } from "../kit/faults.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsOf } from "./flows.ts";
import { happens } from "./happens.ts";
import { gatedSums } from "./placed-flows.ts";

const test = suite("load that heads make even by themselves");

type Sums = readonly { readonly key: number; readonly value: number }[];
const sorted = (found: { readonly sums: Sums }): Sums => found.sums.toSorted((left, right) => left.key - right.key);
const count = 4000;

if (!inSlot && (await hasRedisServer())) {
  const folder = makeSpecFolder("rebalance-policy");
  const redis = await startRedisServer();
  const machines = await LoopbackCluster.start({
    store: redis.url,
    machines: 1,
    slots: 2,
    leaseMs: 20_000,
    headWords: ["--rebalance"],
  });

  test("a machine that comes takes channels by the policy, with the same outputs", async () => {
    await using session = await cluster({ url: machines.url });
    const gate = join(folder.path, "gate");
    const events: ExecutionEvent[] = [];
    const execution: Execution<{ readonly sums: Sums }> = await gatedSums.start(
      { count, gate },
      { on: session, onEvent: (event) => void events.push(event) },
    );
    await happens(execution, "started");
    const added = await machines.addMachine();
    const { moves } = await happens(execution, "rebalanced");
    assert.ok(moves.length > 0 && moves.every(({ slot }) => slot.startsWith(`${added.id}/`)), JSON.stringify(moves));
    const { channels } = await happens(execution, "recovered");
    const placesOf = (of: typeof channels | typeof moves): ReadonlySet<string> =>
      new Set(of.map(({ step, channel, slot }) => `${step} ${channel} ${slot}`));
    assert.equal(placesOf(channels), placesOf(moves));
    // Both machines have something to do: nothing more is to be gained.
    assert.equal(await session.rebalance(execution.id), []);
    writeFileSync(gate, "");
    assert.equal(sorted(await execution.outputs), sumsOf(count));
    assert.ok(execution.metrics?.channels.some(({ slot }) => slot.startsWith(`${added.id}/`)));
    assert.is(events.filter(({ kind }) => kind === "rebalanced").length, 1);
  }, 100_000);

  test.after(async () => {
    await machines.stop();
    await redis.stop();
    folder.remove();
  });
}

test.run();
