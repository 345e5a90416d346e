// specs: waits
// specs: timeout 120 s
// SIGSTOP: a slot that stands still longer than its lease is given up, and doesn't come back; a shorter stop changes nothing.

import { join } from "node:path";
import * as assert from "uvu/assert";
import { local, type Session } from "../../lib/index.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  signal,
  slotProcesses,
  type FaultedRun,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { hashJoin, keyedSum, type Pace } from "./flows.ts";

const test = suite("faults: paused slots");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("paused-slots");
const pace: Pace = { count: 24_000, everyMs: 8 };
const leaseMs = 1500;
let session: Session;

test.before(async () => {
  session = await local({ slots: 2, isolation: "process", store: "memory", checkpointEveryMs: 80, leaseMs });
});

test.after(async () => {
  await session.close();
  folder.remove();
  await assertNothingLeft();
});

/** Stops a slot at a time drawn from the seed, for a time. */
async function paused(
  flow: typeof keyedSum | typeof hashJoin,
  seed: number,
  stoppedMs: number,
): Promise<FaultedRun<Record<string, readonly unknown[]>> & { readonly stopped: number }> {
  let stopped = -1;
  const gate = join(folder.path, `gate-${seed}`);
  const run = await runWithFaults<Pace, Record<string, readonly unknown[]>>(
    flow as never,
    { ...pace, gate },
    { on: session, seed, gate },
    async (faults) => {
      await faults.after(50 + faults.random() * 250);
      const slots = slotProcesses();
      const { pid, slot } = slots[Math.floor(faults.random() * slots.length)] ?? { pid: -1, slot: "" };
      faults.log.push(`${slot} is stopped for ${stoppedMs} ms`);
      stopped = pid;
      signal(pid, "SIGSTOP");
      await faults.after(stoppedMs);
      signal(pid, "SIGCONT");
    },
  );
  return { ...run, stopped };
}

const rowsOf = (outputs: Record<string, readonly unknown[]>): string => digestOf(Object.values(outputs)[0] ?? []);

if (!inSlot && hasProcesses()) {
  for (const [name, flow, seed] of [
    ["keyed sum", keyedSum, 21],
    ["join with stages", hashJoin, 22],
  ] as const) {
    test(`longer than the lease: ${name} goes on without the slot, which doesn't come back`, async () => {
      const expected = rowsOf(await (flow.run as typeof keyedSum.run)({ ...pace, everyMs: 0 }, { on: session }));
      const { outputs, slotsLost, elapsedMs, events, stopped } = await paused(flow, seed, 3 * leaseMs);
      assert.is(rowsOf(outputs), expected, `seed ${seed}`);
      assert.is(slotsLost, 1);
      assert.ok(elapsedMs < 5 * leaseMs + 2000, `${elapsedMs} ms`);
      const lost = events.find((event) => event.kind === "slot-lost");
      assert.match(String(lost?.kind === "slot-lost" && lost.error.message), /no sign of life for [\d.]+ s/);
      assert.not(
        slotProcesses().some(({ pid }) => pid === stopped),
        "it is still there",
      );
    });
  }

  test("shorter than the lease: it is only slower", async () => {
    const expected = rowsOf(await keyedSum.run({ ...pace, everyMs: 0 }, { on: session }));
    const { outputs, slotsLost, recoveries } = await paused(keyedSum, 23, leaseMs / 5);
    assert.is(rowsOf(outputs), expected);
    assert.equal([slotsLost, recoveries], [0, 0]);
  });
}

test.run();
