// specs: timeout 120 s
// Simulated executions with faults of all kinds: loops, in rounds and without.
import { suite } from "../../../kit/suite.ts";
import { testRecoveryOf } from "./check-flows.ts";

const test = suite("recovery of loops");

testRecoveryOf(test, ["loopRounds", "loopVotes", "loopAtOnce"], 70);

test.run();
