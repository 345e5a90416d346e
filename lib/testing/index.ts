// The test kit for users' own readers, operators, sinks and partition functions.
export { testContext, type TestContext } from "./test-context.ts";
export { topologies, topology, type Topology } from "./topologies.ts";
export { multiset, sameMultiset } from "./multiset.ts";
export { deepFreeze } from "../core/deep-freeze.ts";
