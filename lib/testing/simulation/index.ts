// Simulated executions: everything in one thread on a virtual clock, driven by one seed, with faults.
export { simulate } from "./simulate.ts";
export type { SimulationOptions, SimulationReport } from "./simulation-options.ts";
export { checkSeeds, type CheckSeedsOptions, type SeedFailure, type SeedsReport } from "./check-seeds.ts";
export type { LiveOperator, LiveOperators } from "./live-operators.ts";
export { excusedErrors } from "./excused-errors.ts";
export { faultKinds, passingFaults, phases, survivableFaults, type FaultKind, type Phase } from "./faults.ts";
export type { Outcome } from "./same-outcome.ts";
export { VirtualClock } from "./virtual-clock.ts";
export { Trace, type TraceLine } from "./trace.ts";
