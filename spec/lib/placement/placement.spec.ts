import * as assert from "uvu/assert";
import type { PlannedStep } from "../../../lib/core/plan.ts";
import type { PlacementStrategy, SlotPlace } from "../../../lib/core/placement-strategy.ts";
import {
  channelsOf,
  perMachine,
  perSlot,
  placeChannels,
  single,
  tagged,
  withData,
} from "../../../lib/placement/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("placement");

const slots: readonly SlotPlace[] = [
  { id: "a0", machine: "a", tags: [] },
  { id: "a1", machine: "a", tags: [] },
  { id: "b0", machine: "b", tags: ["gpu"] },
  { id: "b1", machine: "b", tags: ["gpu"] },
  { id: "b2", machine: "b", tags: ["gpu"] },
];

function placed(
  placement: PlacementStrategy,
  parts: { channels?: number; turn?: number; data?: string[]; on?: readonly SlotPlace[] } = {},
): string {
  const on = parts.on ?? slots;
  const channels = parts.channels ?? channelsOf(placement, on) ?? parts.data?.length ?? 1;
  const step: PlannedStep = {
    id: "s",
    kind: "operator",
    what: "x",
    channels,
    placement,
    inputs: [],
    outputs: [],
    endless: false,
    ...(parts.data === undefined ? {} : { slots: parts.data }),
  };
  return placeChannels(step, { slots: on, client: "client", placed: [], turn: parts.turn ?? 0 }).join(" ");
}

test("each strategy says how many channels it wants and puts them there", () => {
  assert.is(placed(single()), "a0");
  assert.is(placed(single(), { turn: 7 }), "b0", "steps of one channel are spread");
  assert.is(placed(perSlot()), "a0 a1 b0 b1 b2");
  assert.is(placed(perSlot(2)), "a0 a1 b0 b1 b2 a0 a1 b0 b1 b2");
  assert.is(placed(perMachine()), "a0 b0");
  assert.is(placed(perMachine(3)), "a0 a1 a0 b0 b1 b2");
  assert.is(placed(tagged("gpu")), "b0 b1 b2");
  assert.is(placed(tagged("gpu", 2)), "b0 b1 b2 b0 b1 b2");
  assert.is(placed({ kind: "spread", channels: 7 }), "a0 a1 b0 b1 b2 a0 a1");
  assert.is(placed({ kind: "client" }), "client");
  assert.is(placed(withData(), { data: ["b1", "a0"] }), "b1 a0");
});

test("what isn't there is refused with what is", async () => {
  const tag = await failure(() => placed(tagged("tpu"), { channels: 1 }), "PLACEMENT_IMPOSSIBLE");
  assert.match(tag.message, /"tpu".*gpu/);
  const data = await failure(() => placed(withData(), { data: ["gone"] }), "PLACEMENT_IMPOSSIBLE");
  assert.match(data.message, "gone");
});

test("numbers of channels are checked where they are written", async () => {
  for (const channels of [0, -1, 1.5, Number.NaN, 65_537]) {
    for (const strategy of [() => perSlot(channels), () => perMachine(channels), () => tagged("x", channels)])
      await failure(strategy, "OPTION_INVALID");
  }
});

test.run();
