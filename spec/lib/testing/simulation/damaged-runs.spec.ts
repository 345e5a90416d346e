// Simulated executions whose spools and sorts read something else than they wrote: that is made again, and never taken for data.
import * as assert from "uvu/assert";
import { checkSeeds } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import { simulatedFlows } from "./flows.ts";

const test = suite("damaged temporary files in simulations");
const seeds = 12;

for (const [name, upTo] of [
  ["sorted", 200],
  ["diamondOnDisk", 300],
] as const) {
  test(`${seeds} seeds of the flow "${name}": what is damaged is made again`, async () => {
    const { flow, options } = simulatedFlows[name];
    let recovered = 0;
    const { failure, faults } = await checkSeeds(flow, { upTo } as never, {
      ...options,
      seeds,
      faults: ["disk-damaged"],
      faultsMax: 8,
      onSeed: ({ phases }) => (recovered += phases.recovering === undefined ? 0 : 1),
    });
    assert.is(failure, undefined, `${failure?.reason}\n${failure?.error?.stack}`);
    assert.ok((faults["disk-damaged"] ?? 0) > seeds, `${faults["disk-damaged"]} faults struck`);
    assert.ok(recovered > seeds / 4, `${recovered} of ${seeds} executions found any`);
  });
}

test.run();
