import * as assert from "uvu/assert";
import type { PlannedStep } from "../../../lib/core/plan.ts";
import type { PlacementStrategy, SlotPlace } from "../../../lib/core/placement-strategy.ts";
import {
  apart,
  channelsOf,
  chooseSplits,
  filesTag,
  isMissing,
  nearFiles,
  onlyTags,
  perMachine,
  perSlot,
  placeChannels,
  placePlan,
  single,
  tagged,
  withData,
} from "../../../lib/placement/index.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { planOf, slotsOf } from "./plans.ts";

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

test("channels are kept apart from each other, and from those of other steps", () => {
  assert.is(placed(apart()), "a0 b0");
  assert.is(placed(apart({ channels: 2 })), "a0 b0");
  assert.is(placed(apart({ by: "slot" })), "a0 a1 b0 b1 b2");
  const steps = [
    { channels: 1, placement: apart({ from: "s1" }) },
    { channels: 1, placement: single() },
    { channels: 1, placement: { kind: "with-step", step: 0, channels: 1 } as const },
  ];
  const found = placePlan(planOf(steps, []), { slots: slotsOf([2, 2]), client: "client", turn: () => 1 });
  assert.equal(found, [["b0"], ["a1"], ["b0"]]);
});

test("a strategy that can't be met says what is missing, and for how long one may wait", () => {
  const missingOf = (strategy: PlacementStrategy, on: readonly SlotPlace[] = slots): string => {
    try {
      return placed(strategy, { on, channels: channelsOf(strategy, slots) ?? 1 });
    } catch (error) {
      return isMissing(error) ? `${error.missing} (${error.waitMs})` : String(error);
    }
  };
  assert.is(missingOf(tagged("gpu", 1, { machines: 2 })), '2 machines with the tag "gpu" (there is 1) (undefined)');
  assert.is(missingOf(tagged("tpu", 1, { whenMissing: "wait" })), '1 machine with the tag "tpu" (60000)');
  assert.is(missingOf(perMachine(1, { machines: 3, whenMissing: "wait", waitMs: 5 })), "3 machines (there are 2) (5)");
  assert.is(missingOf(apart({ channels: 3 })), "3 machines, one for each channel (there are 2) (undefined)");
});

test("splits are dealt to machines that have their files, and evenly", () => {
  const on = slotsOf([2, 1, 1], [[filesTag("/data/")], [filesTag("/data/old"), "rack-1"], []]);
  const replicas = [
    { file: "/data/old/a.csv" },
    { file: "/data/b.csv" },
    { file: "/data/c.csv" },
    { file: "/elsewhere/d.csv", tags: ["rack-1"] },
  ];
  const near = chooseSplits(replicas, [10, 10, 10, 10], on, 1);
  assert.equal(near.slots, ["a0", "a1", "b0"]);
  assert.equal(near.missing, []);
  assert.equal(
    near.channels.map((channel) => near.slots[channel]?.[0]),
    ["a", "a", "a", "b"],
  );
  const missing = chooseSplits([...replicas, { file: "/other/e.csv" }], [], on, 2);
  assert.equal(missing.missing, ["files:/other"]);
  assert.is(missing.slots.length, 8, "what is nowhere may be read anywhere");
});

test("a channel near files that are lost goes to another machine that has them", async () => {
  const on = slotsOf([1, 1, 1], [[filesTag("/data")], [filesTag("/data")], []]);
  const [, ...left] = on;
  const near = [[["files:/data"]]];
  const step = (placement: PlacementStrategy): PlannedStep => ({
    ...(planOf([{ channels: 1, placement }], []).steps[0] as PlannedStep),
    slots: ["a0"],
    near,
  });
  const places = { client: "client", placed: [], turn: 0 };
  assert.equal(placeChannels(step(nearFiles()), { ...places, slots: on }), ["a0"]);
  assert.equal(placeChannels(step(nearFiles()), { ...places, slots: left }), ["b0"]);
  assert.equal(placeChannels(step(nearFiles()), { ...places, slots: left.slice(1) }), ["c0"]);
  const bound = step(nearFiles({ whenMissing: "fail" }));
  await failure(() => placeChannels(bound, { ...places, slots: left.slice(1) }), "PLACEMENT_IMPOSSIBLE");
});

test("what only one machine has: tags that no other one has, and files that no other one's folder holds", () => {
  const tags = [
    ["gpu", filesTag("/data")],
    ["gpu", filesTag("/data/old"), filesTag("/home")],
    ["rack-1", filesTag("/database")],
  ];
  const on = slotsOf([2, 1, 1], tags);
  assert.equal(onlyTags(on, "a"), ["files:/data"]);
  assert.equal(onlyTags(on, "b"), ["files:/home"], "what is in /data/old is in another one's /data");
  assert.equal(onlyTags(on, "c"), ["rack-1", "files:/database"]);
  assert.equal(onlyTags(on, "nobody"), []);
});

test("options of strategies are checked where they are written", async () => {
  await failure(() => tagged("x", 1, { machines: 0 }), "OPTION_INVALID");
  await failure(() => apart({ waitMs: -1 }), "OPTION_INVALID");
  await failure(() => perMachine(1, { whenMissing: "perhaps" as "wait" }), "OPTION_INVALID");
  await failure(() => nearFiles({ whenMissing: "perhaps" as "wait" }), "OPTION_INVALID");
  await failure(() => apart({ by: "rack" as "slot" }), "OPTION_INVALID");
});

test("numbers of channels are checked where they are written", async () => {
  for (const channels of [0, -1, 1.5, Number.NaN, 65_537]) {
    for (const strategy of [() => perSlot(channels), () => perMachine(channels), () => tagged("x", channels)])
      await failure(strategy, "OPTION_INVALID");
  }
});

test.run();
