// specs: timeout 120 s
// Executions whose channels move to other slots, and executions that share slots, with faults.
import * as assert from "uvu/assert";
import { defineFlow, hash, numbers, type Operator, type Task } from "../../../../lib/index.ts";
import { checkSeeds, simulate, survivableFaults, type FaultKind } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import type { FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";
import { tenChannels } from "./ten-channels.ts";

const test = suite("channels that move");

for (const name of ["sinks", "keyed"] satisfies FlowName[]) {
  test(`asked for again and again, channels of the flow "${name}" move, and it gives the same`, async () => {
    const { flow, args, options } = simulatedFlows[name];
    // In one of these, a channel that moves is done before its slot hears of it: what it gave isn't its next life's.
    const { failure, moves, faults } = await checkSeeds(flow, args as never, {
      ...options,
      seeds: 30,
      faults: ["rebalance"],
    });
    assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.error?.stack}`);
    assert.ok(moves > 10 && (faults.rebalance ?? 0) > 25, `${moves} moves, ${faults.rebalance} times asked for`);
  });
}

/** As often asked for as anything is lost. */
const kinds: readonly FaultKind[] = ["rebalance", "kill", "rebalance", "restart", "rebalance", "lapse"];

test("channels move while slots are lost", async () => {
  let moved = 0;
  for (const name of ["changing", "keyed", "waited"] satisfies FlowName[]) {
    const { flow, args, options } = simulatedFlows[name];
    const settings = { ...options, seeds: 15, from: 700, faults: kinds, faultsMax: 8 };
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { failure, moves } = await checkSeeds(flow, args as never, settings);
    assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.error?.stack}`);
    moved += moves;
  }
  assert.ok(moved > 15, `${moved} moves`);
});

test("nobody can ask that without a store", async () => {
  const options = { seed: 3, faults: ["rebalance"], store: "none" } as const;
  const { error, faults } = await simulate(tenChannels, { upTo: 100, keys: 5 }, options);
  assert.is(error, undefined);
  assert.equal(faults, {});
});

/** Adds up by key, one of which most numbers have. */
class Adding implements Operator<{ in: number }, { key: number; sum: number }> {
  #sums = new Map<number, number>();

  execute({ objects }: Task<{ in: number }>): void {
    for (const value of objects) this.#sums.set(keyOf(value), (this.#sums.get(keyOf(value)) ?? 0) + value);
  }

  *done(): Generator<{ key: number; sum: number }> {
    for (const [key, sum] of this.#sums) yield { key, sum };
  }

  snapshot(): [number, number][] {
    return [...this.#sums];
  }

  restore(sums: [number, number][]): void {
    this.#sums = new Map(sums);
  }
}

function keyOf(value: number): number {
  return value % 100 === 0 ? value / 100 : 0;
}

/** Most of the work of all steps is that of one channel each. */
const uneven = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => {
  const all = q.read("numbers", numbers(0, upTo));
  const sums = (id: string) =>
    all
      .partition(hash(keyOf))
      .apply(id, () => new Adding(), { channels: 3 })
      .collect();
  return { one: sums("one"), two: sums("two"), three: sums("three") };
});

const slow = {
  taskMs: 150,
  limits: { parcelObjects: 4, inputObjects: 16, lingerMs: 1 },
  checkpointEveryMs: 500,
  faultsWithinMs: 20_000,
};

test("where the policy is on, a load that stays uneven moves channels without anybody asking", async () => {
  const args = { upTo: 700 };
  const settings = { ...slow, seeds: 4, rebalances: true };
  const calm = await checkSeeds(uneven, args, settings);
  assert.ok(calm.failure === undefined, calm.failure?.reason);
  assert.ok(calm.moves > 0, `${calm.moves} moves`);
  const off = await simulate(uneven, args, { ...slow, seed: 1 });
  assert.is(off.moves, 0);
  const faults = survivableFaults.filter((kind) => kind !== "rebalance");
  const struck = await checkSeeds(uneven, args, { ...settings, faults });
  assert.ok(struck.failure === undefined, `${struck.failure?.reason}\n${struck.failure?.error?.stack}`);
});

// Parcels of one size and of another: from some objects on, functions on edges go through them in a loop of their own.
for (const [taskMs, parcelObjects] of [
  [0, 16],
  [2, 70],
] as const) {
  test(`executions that share slots give the same as alone, tasks of ${taskMs} ms and faults or not`, async () => {
    const { flow, options } = simulatedFlows.join;
    const args = { upTo: 600, keys: 20 };
    const limits = { parcelObjects, inputObjects: 300, spoolMemoryBytes: 0, lingerMs: 1 };
    for (const faults of [[], survivableFaults]) {
      const settings = { ...options, limits, seeds: 8, faults, atOnce: 3, taskMs };
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const { failure } = await checkSeeds(flow, args as never, settings);
      assert.ok(failure === undefined, `${failure?.reason}\n${failure?.error?.stack}`);
    }
  });
}

test.run();
