// specs: timeout 120 s
// Executions that are killed and gone on with by whoever has another number of slots, and gives them as many channels.
import * as assert from "uvu/assert";
import { checkSeeds } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import type { FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

const test = suite("executions that get other channels");
const seeds = 16;

// What "earlyStop" has found: a step that wants no more, whose producers have more than a window to send; and a channel that pauses
// while an earlier checkpoint of it is on its way.
const flows: readonly FlowName[] = [
  "earlyStop",
  "join",
  "keyed",
  "changing",
  "sinks",
  "written",
  "waited",
  "passedOver",
];

for (const name of flows) {
  test(`${seeds} seeds of the flow "${name}" give the same`, async () => {
    const { flow, args, options } = simulatedFlows[name];
    const settings = { ...options, seeds, faults: ["restart"], rescales: true } as const;
    const { failure, rescaled } = await checkSeeds(flow, args as never, settings);
    assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.error?.stack}`);
    assert.ok(rescaled > seeds / 4, `${rescaled} times`);
  });
}

test.run();
