// specs: timeout 120 s
// Simulated executions with faults of all kinds: streams that part, meet and are sorted.
import { suite } from "../../../kit/suite.ts";
import { StruckFaults, type FlowName } from "./check-flows.ts";

const test = suite("recovery, joins and sorts");
const struck = new StruckFaults();
const seeds = 110;
const flows: readonly FlowName[] = ["join", "diamond", "sorted", "zipped"];

for (const name of flows) {
  test(`${seeds} seeds of the flow "${name}" give what a run without faults gives`, async () => {
    await struck.check(name, seeds);
  }, 60_000);
}

test("every kind of fault struck, in every phase", () => {
  struck.assertAll();
});

test.run();
