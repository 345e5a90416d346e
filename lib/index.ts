// The public face: explicit, named, and nothing else.
export { defineFlow, type Build, type Flow, type NoArgs } from "./flow/define-flow.ts";
export type { FlowBuilder, Sided, Sink } from "./flow/flow-builder.ts";
export type { QStream } from "./flow/qstream.ts";
export type { PartitionedStream } from "./flow/partitioned-stream.ts";
export type { Input } from "./flow/make-step.ts";
export type { ApplyOptions, FunctionContext, StepOptions } from "./flow/stream-types.ts";
export type { ArgumentsOf, ArgumentsSchema, ArgumentType } from "./flow/arguments-schema.ts";
export type { Execution } from "./flow/execution.ts";
export type { ExplainOptions } from "./flow/explain/index.ts";
export type { RunOptions } from "./flow/run.ts";
export { local, type Session, type SessionOptions } from "./flow/session.ts";
export type {
  ChannelPlacement,
  ChannelSummary,
  ExecutionEvent,
  ExecutionMetrics,
  StepSummary,
} from "../actors/scheduler/execution-events.ts";
export type { ChannelMetrics } from "../actors/channel/channel-metrics.ts";
export type { Isolation } from "../actors/slots/slot-launcher.ts";
export { QStreamError, type ErrorCode, type Place } from "./core/errors.ts";
export type { Limits } from "./core/limits.ts";
export type { ArrowBatch, Batch, ColumnsIn, PolarsBatch, RowIn } from "./core/batch-types.ts";
export type { Context } from "./core/contracts/context.ts";
export type {
  Declares,
  Many,
  ObjectIn,
  Operator,
  OperatorDefinition,
  Outputs,
  Stateful,
  Task,
  TaskOperator,
} from "./core/contracts/operator.ts";
export { run, Run, Side, type Reader, type Reading, type SidedReader, type SplitRequest } from "./core/contracts/reader.ts";
export type { Guarantee, OutputSink, SinkChannel } from "./core/contracts/sink.ts";
export type { Key, PartitionFunction, Route, RoutedTask, Router } from "./core/contracts/partition.ts";
export { perMachine, perSlot, single, tagged, withData } from "./placement/index.ts";
export type { PlacementStrategy } from "./core/placement-strategy.ts";
export { broadcast, custom, hash, passThrough, range, roundRobin, slice, type CustomRoute, type Destination, type Slice } from "./partition/index.ts";
export { schema, type Columns, type ColumnType, type ColumnValue, type Row } from "./core/schema.ts";
export { registerCodec, type Codec } from "./core/codec/index.ts";
export type { Dataset } from "./core/dataset.ts";
export { showProgress } from "./cli/display/progress.ts";
export { formatPlacement, formatSteps, formatSummary } from "./cli/display/summary.ts";
export { formatTable } from "./cli/display/table.ts";
