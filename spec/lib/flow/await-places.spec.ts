import * as assert from "uvu/assert";
import type { ExecutionEvent } from "../../../actors/scheduler/execution-events.ts";
import type { SlotPlace } from "../../../lib/core/placement-strategy.ts";
import { whenPlaceable } from "../../../lib/flow/await-places.ts";
import { tagged } from "../../../lib/placement/index.ts";
import { VirtualClock } from "../../../lib/testing/simulation/virtual-clock.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { planOf, slotsOf } from "../placement/plans.ts";

const test = suite("waiting for places");

interface Tried {
  readonly planned: Promise<unknown>;
  readonly events: readonly ExecutionEvent[];
  readonly attempts: () => number;
  readonly slots: SlotPlace[];
  readonly clock: VirtualClock;
}

function tried(grows = true): Tried {
  const clock = new VirtualClock({ random: () => 0 });
  const slots = slotsOf([1]);
  const events: ExecutionEvent[] = [];
  let attempts = 0;
  const planned = whenPlaceable(
    {
      execution: "run",
      slots: () => slots,
      grows,
      clock,
      signal: new AbortController().signal,
      onEvent: (event) => events.push(event),
    },
    async () => {
      attempts++;
      const placement = tagged("gpu", 1, { whenMissing: "wait", waitMs: 1000 });
      return { plan: planOf([{ channels: 1, placement }], []) };
    },
  );
  planned.catch(() => {});
  return { planned, events, attempts: () => attempts, slots, clock };
}

test("it plans again once other slots are there, and says meanwhile what for", async () => {
  const { planned, events, attempts, slots, clock } = tried();
  await clock.run({ ms: 500 });
  assert.equal(events, [{ kind: "waiting", execution: "run", missing: '1 machine with the tag "gpu"', waitMs: 1000 }]);
  assert.is(attempts(), 1);
  slots.push({ id: "b0", machine: "b", tags: [] });
  await clock.run({ ms: 700 });
  assert.is(attempts(), 2);
  slots.push({ id: "c0", machine: "c", tags: ["gpu"] });
  await clock.run({ ms: 900 });
  await planned;
  assert.is(events.length, 1);
});

test("it gives up when its time is over, and at once where no slots can come", async () => {
  const waiting = tried();
  await waiting.clock.run({ ms: 2000 });
  await failure(() => waiting.planned, "PLACEMENT_IMPOSSIBLE");
  const alone = tried(false);
  await failure(() => alone.planned, "PLACEMENT_IMPOSSIBLE");
  assert.equal(alone.events, []);
});

test.run();
