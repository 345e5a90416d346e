import * as assert from "uvu/assert";
import { checkpointsOf } from "../../../actors/slot/channel-work.ts";
import type { PrepareOrder } from "../../../actors/slot/protocol.ts";
import { planOf } from "../../kit/plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("the work of channels");

test("readers save their states first, then those that take what they make, and those behind the longest way last", () => {
  // The second way from the reader to the sink, 0 to 3, is shorter than the first.
  const steps = ["reader", "operator", "other", "sink"].map((id) => ({ id, channels: 1 }));
  const edges = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 2, to: 3 },
    { from: 0, to: 3 },
  ];
  const checkpoints = { everyMs: 2000, workMs: 10_000 };
  const order = { plan: planOf(steps, edges), checkpoints } as PrepareOrder;
  const first = steps.map((_, step) => checkpointsOf(order, step).firstMs);
  assert.equal(first, [500, 1000, 1500, 2000]);
  assert.equal(checkpointsOf(order, 0), { ...checkpoints, firstMs: 500 });
});

test.run();
