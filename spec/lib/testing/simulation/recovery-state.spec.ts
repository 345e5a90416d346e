// specs: timeout 120 s
// Simulated executions with faults of all kinds: state with checkpoints, early ends, several sinks.
import { suite } from "../../../kit/suite.ts";
import { testRecoveryOf } from "./check-flows.ts";

const test = suite("recovery, state and sinks");

testRecoveryOf(test, ["keyed", "changing", "earlyStop", "sinks", "written", "unfolded", "stamped"], 60);

test.run();
