// specs: timeout 150 s
// Tasks that are run twice while slots and machines are lost: nothing differs, neither in what is verified nor in what comes out.

import * as assert from "uvu/assert";
import { checkSeeds, survivableFaults } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import type { FlowName } from "./check-flows.ts";
import { simulatedFlows } from "./flows.ts";

const test = suite("verify replay under faults");
// The soak takes twice as many.
const seeds = Number(process.env["QSTREAM_VERIFIED_SEEDS"] ?? 6);

for (const name of Object.keys(simulatedFlows) as FlowName[]) {
  test(`${seeds} seeds of the flow "${name}" do the same twice`, async () => {
    const { flow, args, options } = simulatedFlows[name];
    const verifyReplay = { share: 0.5 };
    const settings = { ...options, seeds, verifyReplay, faults: survivableFaults };
    const { failure } = await checkSeeds(flow, args as never, settings);
    assert.ok(failure === undefined, `${name}, ${failure?.reason}\n${failure?.error?.stack}`);
  });
}

test.run();
