// The test kit for users' own readers, operators, sinks and partition functions.
export { testContext, type TestContext, type TestTimers } from "./test-context.ts";
export { passTime } from "./pass-time.ts";
export { LoopbackCluster, type ClusterProcess, type LoopbackClusterOptions } from "./loopback-cluster.ts";
export { topologies, topology, type Topology } from "./topologies.ts";
export { dealStates } from "./deal-states.ts";
export { multiset, sameMultiset } from "./multiset.ts";
export {
  checkConfluence,
  checkFlow,
  operatorOf,
  runInOrder,
  type CheckedStep,
  type CheckFlowOptions,
  type CheckConfluenceOptions,
  type ConfluenceReport,
  type CounterExample,
  type InputsToCheck,
  type OperatorToCheck,
  type Order,
  type OrderOutcome,
  type OrderStep,
  type SpecCode,
  type Variation,
} from "./confluence/index.ts";
export {
  checkSeeds,
  excusedErrors,
  faultKinds,
  passingFaults,
  phases,
  simulate,
  survivableFaults,
  Trace,
  type CheckSeedsOptions,
  type FaultKind,
  type LiveOperator,
  type LiveOperators,
  type Outcome,
  type Phase,
  type SeedFailure,
  type SeedsReport,
  type SimulationOptions,
  type SimulationReport,
  type TraceLine,
} from "./simulation/index.ts";
export {
  checkLinearizable,
  checkSequential,
  checkSerializable,
  History,
  keyValueModel,
  queueModel,
  registerModel,
  unknownResult,
  type Anomaly,
  type AnomalyName,
  type CheckHistoryOptions,
  type CheckSerializableOptions,
  type Dependency,
  type HistoryData,
  type HistoryEvent,
  type HistoryOptions,
  type KeyValueOperation,
  type KeyValueState,
  type LinearizabilityReport,
  type LinearizabilityViolation,
  type MaybeResult,
  type Model,
  type OpenCall,
  type OrderReport,
  type PlacedCall,
  type QueueOperation,
  type RecordedCall,
  type RegisterOperation,
  type SerializableReport,
  type Transaction,
  type TransactionCall,
  type TransactionReads,
  type TransactionStep,
} from "./history/index.ts";
export {
  defineExploration,
  ExplorationFailed,
  explore,
  exploreFlow,
  findFlowViolation,
  findViolation,
  growthText,
  isExploration,
  type Check,
  type EventualCheck,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type Exploration,
  type ExplorationFaults,
  type ExplorationOptions,
  type ExplorationReport,
  type ExploredDisk,
  type ExploredMachine,
  type ExploredSpawnOptions,
  type ExploredSpawnRest,
  type ExploredWorld,
  type ExploreOptions,
  type FlowExplorationOptions,
  type FlowExplorationReport,
  type FlowViolation,
  type FoundViolation,
  type Growth,
  type MessageInFlight,
  type MsRange,
  type RunCounts,
  type SeedRun,
  type SizeCounts,
  type Spread,
  type Violation,
} from "./explore/index.ts";
export { deepFreeze } from "../core/deep-freeze.ts";
// Simulated executions: all of it in one thread on a virtual clock, from one seed.
export * from "./simulation/index.ts";
export { sessionOnVirtualClock, type VirtualSession, type VirtualSessionOptions } from "./virtual-session.ts";
export { readCheckpoint, type SavedState } from "./read-checkpoint.ts";
// What a store is, for those who test one of their own: simulations take it.
export type { WholePolicy } from "../../actors/channel/checkpoints.ts";
export type { BlobPlace } from "../core/contracts/lineage.ts";
export type {
  ChannelCommit,
  ChannelProgress,
  CommitAnswer,
  ExecutionStatus,
  FencedChannel,
  LineageStore,
  StoredExecution,
} from "../core/contracts/lineage-store.ts";
export type { Random } from "../core/seam/random.ts";
export type { RunEnd, RunUntil, VirtualClockOptions } from "./simulation/virtual-clock.ts";
export type { NetworkCounts } from "./simulation/virtual-network.ts";
