// specs: timeout 120 s
// Simulated executions with faults of all kinds: streams that part, meet and are sorted.
import { suite } from "../../../kit/suite.ts";
import { testRecoveryOf } from "./check-flows.ts";

const test = suite("recovery, joins and sorts");

testRecoveryOf(test, ["join", "diamond", "diamondOnDisk", "diamondInMemory", "sorted", "zipped"], 55);

test.run();
