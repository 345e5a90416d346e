export { defineExploration, isExploration } from "./exploration.ts";
export type {
  Check,
  EventualCheck,
  Exploration,
  ExplorationOptions,
  ExploredMachine,
  ExploredSpawnOptions,
  ExploredSpawnRest,
  ExploredWorld,
  MessageInFlight,
} from "./exploration.ts";
export type { ExplorationFaults, MsRange } from "./faults.ts";
export type { ExploredDisk } from "./machine-disk.ts";
export type { Violation } from "./invariants.ts";
export { explore, findViolation, repeatExecution, type ExplorationReport, type ExploreOptions } from "./explore.ts";
export { ExplorationFailed, type FoundViolation } from "./found-violation.ts";
export type { RunCounts, Spread } from "./counts.ts";
export {
  choicesOfWords,
  type ChoiceMade,
  type ExhaustiveOptions,
  type ExhaustiveReport,
  type Reduction,
} from "./exhaustive/index.ts";
export { growthText, type Growth, type SizeCounts } from "./growth.ts";
export { numbersOf } from "./number-list.ts";
export type { SeedRun } from "./run-seed.ts";
export { readStepNotes, StepNotes, watching, type NotedStep } from "./step-notes.ts";
export {
  defineFlowExploration,
  isFlowExploration,
  type FlowCheck,
  type FlowExploration,
  type FlowExplorationOptions,
  type FlowPromises,
} from "./flow-exploration.ts";
export type { FlowExplorationReport, FlowExploreOptions, FlowViolation } from "./explore-flow.ts";
export { recordRun, type RecordRunOptions } from "./record-run.ts";
export {
  formatTrace,
  spaceTimeHtml,
  spaceTimeSvg,
  type DiagramOptions,
  type DiagramTheme,
  type FormatTraceOptions,
  type StepRange,
} from "./diagram/index.ts";
export type {
  LostMessage,
  RunLine,
  RunMessage,
  RunSend,
  RunStep,
  RunStepKind,
  RunTrace,
  RunViolation,
} from "./trace.ts";
