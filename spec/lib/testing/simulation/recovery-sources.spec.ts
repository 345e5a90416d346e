// specs: timeout 120 s
// Simulated executions with faults of all kinds: sources of all kinds, operators that wait or fail, columnar batches.
import { suite } from "../../../kit/suite.ts";
import { StruckFaults, type FlowName } from "./check-flows.ts";

const test = suite("recovery, sources and failures");
const struck = new StruckFaults();
const seeds = 60;
// They take many times as long as objects, and go the same ways; the soak has two hundred of them.
const columnarSeeds = 15;
const flows: readonly FlowName[] = ["waited", "live", "stumbled", "passedOver", "columnar", "timed"];

// Each flow has seeds of its own, so that together they meet more faults.
for (const [index, name] of flows.entries()) {
  const count = name === "columnar" ? columnarSeeds : seeds;
  test(`${count} seeds of the flow "${name}" give what a run without faults gives`, async () => {
    await struck.check(name, count, 1 + index * seeds);
  }, 60_000);
}

test("every kind of fault struck, in every phase", () => {
  struck.assertAll();
});

test.run();
