import * as assert from "uvu/assert";
import type { ChannelState } from "../../../actors/channel/channel-parts.ts";
import { emptyMetrics } from "../../../actors/channel/channel-metrics.ts";
import { ExecutionRecord } from "../../../actors/scheduler/execution-record.ts";
import type { Plan } from "../../../lib/core/plan.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what is known of an execution");

test("a channel that waits for others, and no more for the store, has got on, though it has done no task", () => {
  const steps = [
    { id: "from", kind: "reader", channels: 1 },
    { id: "to", kind: "sink", channels: 1 },
  ];
  const plan = { steps, edges: [{ from: 0, to: 1 }] } as unknown as Plan;
  const record = new ExecutionRecord({ execution: "run", plan }, ["slot-0"], [[0], [0]], () => undefined);
  const pulseAfter = (from: ChannelState, to: ChannelState): number => {
    const metrics = { ...emptyMetrics(), tasks: 3 };
    const states = [from, to].map((state, step) => ({ step, channel: 0, state, metrics }));
    record.progress(states, "slot-0", 0);
    return record.pulse();
  };
  const before = pulseAfter("waiting-store", "waiting-input");
  assert.is(record.stuck(), undefined);
  assert.is(pulseAfter("waiting-store", "waiting-input"), before);
  const after = pulseAfter("waiting-credit", "waiting-input");
  assert.is.not(after, before);
  assert.ok(record.stuck() !== undefined);
  // From then on nothing happens.
  assert.is(pulseAfter("waiting-credit", "waiting-input"), after);
  assert.is(pulseAfter("waiting-input", "waiting-credit"), after);
  // What a timer does may be what the others wait for.
  pulseAfter("waiting-credit", "waiting-timer");
  assert.is(record.stuck(), undefined);
});

const plan = {
  steps: [
    { id: "from", kind: "reader", channels: 1 },
    { id: "to", kind: "sink", channels: 1 },
  ],
  edges: [{ from: 0, to: 1 }],
} as unknown as Plan;

test("late messages are counted over all slots, also those that are lost", () => {
  const record = new ExecutionRecord({ execution: "run", plan }, ["slot-0"], [[0], [0]], () => undefined);
  assert.is(record.metrics(1).lateMessages, 0);
  for (const [slot, late] of [
    ["slot-0", 1],
    ["slot-1", 2],
    ["slot-0", 4],
    ["slot-0.1", 0],
  ] as const) {
    record.progress([], slot, 0, late);
  }
  assert.is(record.metrics(1).lateMessages, 6);
});

/** A record, and what users see of it when its reader reports. */
function recordOf(resumed: boolean) {
  const record = new ExecutionRecord({ execution: "run", plan, resumed }, ["slot-0"], [[0], [0]], () => undefined);
  const read = (objectsRead: number, before?: number): void => {
    const counts = { objectsRead: before ?? 0, objectsIn: 0, objectsOut: 0 };
    const metrics = { ...emptyMetrics(), objectsRead, ...(before === undefined ? {} : { before: counts }) };
    record.progress([{ step: 0, channel: 0, state: "running", metrics }], "slot-0", 0);
  };
  return { record, read, rows: () => record.metrics(1).rowsRead };
}

test("what users see counts up and never down, whatever is done again, and in the end is right", () => {
  const { record, read, rows } = recordOf(false);
  const seen: number[] = [];
  const see = (objectsRead: number, before?: number): void => {
    read(objectsRead, before);
    seen.push(rows());
  };
  see(900);
  record.lost(0, 0);
  // A late word of the life that was lost; then the next one, which goes on behind 800.
  for (const [objects, before] of [[950], [0, 800], [100, 800], [180, 800]] as const) see(objects, before);
  record.lost(0, 0);
  // One without a checkpoint does everything again.
  for (const objects of [0, 500, 990, 1000]) see(objects);
  assert.equal(seen, [900, 950, 950, 950, 980, 980, 980, 990, 1000]);
});

test("an execution that is gone on with counts from there", () => {
  const { record, read, rows } = recordOf(true);
  read(10, 800);
  assert.is(rows(), 10);
  record.lost(0, 0);
  read(5, 805);
  assert.is(rows(), 10);
  read(195, 805);
  assert.is(rows(), 200);
});

test.run();
