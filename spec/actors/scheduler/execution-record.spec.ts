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
});

test.run();
