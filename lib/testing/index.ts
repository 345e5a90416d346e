// The test kit for users' own readers, operators, sinks and partition functions.
export { testContext, type TestContext } from "./test-context.ts";
export { topologies, topology, type Topology } from "./topologies.ts";
export { multiset, sameMultiset } from "./multiset.ts";
export {
  checkSeeds,
  faultKinds,
  passingFaults,
  phases,
  simulate,
  survivableFaults,
  Trace,
  type CheckSeedsOptions,
  type FaultKind,
  type Outcome,
  type Phase,
  type SeedFailure,
  type SeedsReport,
  type SimulationOptions,
  type SimulationReport,
  type TraceLine,
} from "./simulation/index.ts";
export { deepFreeze } from "../core/deep-freeze.ts";
// Simulated executions: all of it in one thread on a virtual clock, from one seed.
export * from "./simulation/index.ts";
export { sessionOnVirtualClock, type VirtualSession, type VirtualSessionOptions } from "./virtual-session.ts";
export { readCheckpoint, type SavedState } from "./read-checkpoint.ts";
