import * as assert from "uvu/assert";
import type { ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import { seededRandom } from "../../../lib/core/seam/random.ts";
import { machinesCome, type MachinesToCome } from "../../../lib/cluster/machines-come.ts";
import { VirtualClock } from "../../../lib/testing/simulation/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("machines that a driver waits for");

const slot = {} as MachinesToCome["remote"]["slots"][number];
const far = { id: "far", url: "ws://nowhere:1" };

/** Waits for machines on a clock of its own. Gives what was told meanwhile. */
async function wait(remote: Partial<MachinesToCome["remote"]>, begins = true): Promise<ExecutionEvent[]> {
  const clock = new VirtualClock({ random: seededRandom(1) });
  const events: ExecutionEvent[] = [];
  const come = machinesCome({
    start: { execution: "run", begins, leaseMs: 5000 },
    hooks: { onReport: () => {}, onLost: () => {} },
    remote: { slots: [], machines: [], awaitedMachines: [], forsaken: undefined, ...remote },
    clock,
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
  });
  await clock.run({ settled: come });
  await come.catch((error: unknown) => Promise.reject(Object.assign(error as Error, { events })));
  return events;
}

test("where there is none, that is said soon, and fails after three leases", async () => {
  const error = await failure(() => wait({}), "MACHINE_UNREACHABLE");
  assert.match(error.message, "Start one: qstream worker --join");
  const [event, ...others] = (error as unknown as { events: readonly ExecutionEvent[] }).events;
  assert.equal(event, {
    kind: "waiting",
    execution: "run",
    missing: "a machine: the cluster has none",
    waitMs: 15_000,
  });
  assert.equal(others, []);
});

test("one that doesn't answer is named, with where it is looked for; then it is done without", async () => {
  const events = await wait({ slots: [slot], machines: ["near", "far"], awaitedMachines: [far] });
  assert.equal(events, [
    { kind: "waiting", execution: "run", missing: "far at ws://nowhere:1 to answer", waitMs: 2000 },
  ]);
});

test("where all are there nothing is said", async () => {
  assert.equal(await wait({ slots: [slot], machines: ["near"] }), []);
});

test.run();
