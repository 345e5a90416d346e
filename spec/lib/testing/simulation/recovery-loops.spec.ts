// specs: timeout 120 s
// Simulated executions with faults of all kinds: loops, in rounds and without.
import { suite } from "../../../kit/suite.ts";
import { StruckFaults, type FlowName } from "./check-flows.ts";

const test = suite("recovery of loops");
const struck = new StruckFaults();
const seeds = 70;
const flows: readonly FlowName[] = ["loopRounds", "loopVotes", "loopAtOnce"];

// Each flow has seeds of its own, so that together they meet more faults.
for (const [index, name] of flows.entries()) {
  test(`${seeds} seeds of the flow "${name}" give what a run without faults gives`, async () => {
    await struck.checkSoon(name, seeds, 1 + index * seeds);
  }, 60_000);
}

test("every kind of fault struck, in every phase", () => {
  struck.assertAll();
});

test.run();
