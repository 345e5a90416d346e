// The public face: explicit, named, and nothing else.
export { defineFlow, type Build, type Flow, type NoArgs } from "./flow/define-flow.ts";
export type { FlowBuilder, Sided, Sink } from "./flow/flow-builder.ts";
export type { QStream } from "./flow/qstream.ts";
export type { PartitionedStream } from "./flow/partitioned-stream.ts";
export type { Input } from "./flow/make-step.ts";
export type { ApplyOptions, FunctionContext, PassedOver, StepOptions } from "./flow/stream-types.ts";
export type { ArgumentKind, ArgumentsOf, ArgumentsSchema, ArgumentType } from "./flow/arguments-schema.ts";
export type { Execution } from "./flow/execution.ts";
export type { ExplainedExecution, ExplainedMachine, ExplainOptions } from "./flow/explain/index.ts";
export type { ResumeOptions, RunOptions } from "./flow/run.ts";
export type { LineageMetrics } from "../actors/lineage/lineage-metrics.ts";
export type { LineageOptions } from "./flow/session-lineage.ts";
export { local, type FlowSession, type Session, type SessionOptions } from "./flow/session.ts";
export {
  actor,
  type ActorOptions,
  type Handlers,
  type MessageOf,
  type ModeHandlers,
  type ProtocolOfHandlers,
} from "./actors/actor.ts";
export {
  broadcaster,
  router,
  workerPool,
  type Gathered,
  type MessageIn,
  type RouterOptions,
  type WorkerPoolOptions,
} from "./actors/routers.ts";
export { defineActors, type ActorDefinitions, type Actors } from "./actors/define-actors.ts";
export type { ActorEntry, ActorHostPlace, DistributedActors } from "./actors/distributed-actors.ts";

export type { ActorFacts } from "../actors/system/distant/node-views.ts";
export type { StepKind } from "./core/plan.ts";
export { takeOnce, type Delivery, type Heard } from "./core/contracts/delivery.ts";
export type { EntityKind } from "./core/contracts/entity-kind.ts";
export type { NamesGiving, NamesTaking, ObjectsGiven } from "./core/contracts/message-names.ts";
export type { ActorsOptions } from "./actors/start-system.ts";
export { startActors, type ActorSystem, type ActorSystemOptions } from "./actors/actor-system.ts";
export type { ActorMetrics } from "../actors/system/node-metrics.ts";
export type { ActorEvent, DeadLetterReason } from "../actors/system/node-parts.ts";
export type { DurableOptions } from "./core/actor-definition.ts";
export type {
  ActorContext,
  ActorDefinition,
  ActorPlace,
  ActorReference,
  ActorTimer,
  AnswerOf,
  AnyReference,
  AskOptions,
  Deferred,
  Ended,
  EndReason,
  EntityDefinition,
  IsNothing,
  PayloadOf,
  ProtocolOf,
  ReplyOf,
  SpawnOptions,
  SpawnRest,
  StopOptions,
} from "./core/contracts/actor.ts";
export type {
  ErrorTest,
  MailboxOptions,
  Supervision,
  SupervisionAction,
  SupervisionRule,
} from "./core/contracts/actor-options.ts";
export { cluster } from "./cluster/open-cluster.ts";
export type { ClusterListing, ClusterOptions, ClusterSession, FollowOptions } from "./cluster/cluster-session.ts";
export type { ListedExecution, ListedMachine } from "./cluster/protocol.ts";
export type { MachineOffer } from "../actors/cluster/protocol.ts";
export type { MachineCounts } from "../actors/cluster/machine-counts.ts";
export type { WireCounts } from "../actors/transport/wire/wire-counts.ts";
export type { Tls } from "../actors/transport/wire/security.ts";
export type {
  ChannelMove,
  ChannelPlacement,
  ChannelSummary,
  ExecutionEvent,
  ExecutionMetrics,
  SlowTask,
  StepSummary,
  TaskFailed,
} from "../actors/scheduler/execution-events.ts";
export type { ChannelMetrics } from "../actors/channel/channel-metrics.ts";
export type { ChannelState } from "../actors/channel/channel-parts.ts";
export type { Isolation } from "../actors/slots/slot-launcher.ts";
export { QStreamError, type ErrorCode, type ErrorDetails, type Place } from "./core/errors.ts";
export type { Limits } from "./core/limits.ts";
export type { ArrowBatch, Batch, ColumnsIn, PolarsBatch, RowIn } from "./core/batch-types.ts";
export type { Context, OperatorContext, Timers } from "./core/contracts/context.ts";
export type { Clock } from "./core/seam/clock.ts";
export type { Disk, DiskFile } from "./core/seam/disk.ts";
export type {
  Deal,
  Declares,
  Incremental,
  Many,
  ObjectIn,
  Operator,
  OperatorDefinition,
  Representation,
  Outputs,
  Stateful,
  Task,
  TaskOperator,
} from "./core/contracts/operator.ts";
export {
  Feedback,
  feedback,
  type LastRound,
  type LoopOperator,
  type LoopTaskOperator,
  type Round,
  type RoundEnd,
} from "./core/contracts/loop.ts";
export type { FeedbackWay, IterateOptions, OptionsOfLoop, VotingOptions } from "./flow/loop-options.ts";
export {
  run,
  Run,
  Side,
  type Reader,
  type ReadFrom,
  type Reading,
  type Replicas,
  type SidedReader,
  type SplitRequest,
} from "./core/contracts/reader.ts";
export type { Guarantee, OutputSink, PrepareContext, SinkChannel } from "./core/contracts/sink.ts";
export type { ColumnarView } from "./core/batch/view.ts";
export type {
  Key,
  MadeLoop,
  Making,
  PartitionFunction,
  Route,
  RoutedTask,
  Router,
} from "./core/contracts/partition.ts";
export { apart, nearFiles, perMachine, perSlot, single, tagged, withData } from "./placement/index.ts";
export type { StepBytes } from "./placement/index.ts";
export type { Needs, PlacementStrategy } from "./core/placement-strategy.ts";
export {
  broadcast,
  custom,
  hash,
  passThrough,
  range,
  roundRobin,
  slice,
  type CustomRoute,
  type Destination,
  type Slice,
} from "./partition/index.ts";
export { schema, type Columns, type ColumnType, type ColumnValue, type Row } from "./core/schema.ts";
export { registerCodec, type Codec } from "./core/codec/index.ts";
export type { Dataset, DatasetPart, DatasetReference } from "./core/dataset.ts";
export { showProgress, type ProgressTarget } from "./cli/display/progress.ts";
export { formatPlacement, formatSteps, formatSummary } from "./cli/display/summary.ts";
export { formatTable, type TableTextOptions } from "./cli/display/table.ts";
export { arrowIpc, type ArrowForm, type ArrowIpcOptions, type ArrowObject, type ArrowSplit } from "../readers/arrow.ts";
export { csv, type CsvObject, type CsvOptions, type CsvReader } from "../readers/csv.ts";
export type { CsvSplit } from "../readers/csv/settings.ts";
export { dataset } from "../readers/dataset.ts";
export {
  items,
  iterable,
  type AnyIterable,
  type ItemsSplit,
  type IterableOptions,
  type IterablePart,
  type IterableRequest,
} from "../readers/iterable.ts";
export { jsonArray, type JsonArrayOptions } from "../readers/json-array.ts";
export { jsonLines, type JsonLinesOptions, type JsonReader } from "../readers/json-lines.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "../readers/json/standard-schema.ts";
export { lines, type LinesOptions, type LinesReader } from "../readers/lines.ts";
export { numbers, type NumbersOptions, type NumbersSplit } from "../readers/numbers.ts";
export {
  parquet,
  type BadFile,
  type ParquetColumns,
  type ParquetForm,
  type ParquetObject,
  type ParquetOptions,
  type ParquetPart,
  type ParquetReader,
  type ParquetRow,
  type ParquetSplit,
  type ParquetValue,
  type Where,
  type WhereOperator,
  type WhereValue,
} from "../readers/parquet.ts";
export { reader, type ReaderDefinition } from "../readers/reader.ts";
export { redisStream, type RedisJsonOptions, type RedisStreamOptions, type ValueIn } from "../readers/redis-stream.ts";
export type { RedisEntry, RedisValues } from "../readers/redis/entries.ts";
export type { RedisSplit } from "../readers/redis/stream-splits.ts";
export {
  standardInput,
  type StandardInputOptions,
  type StandardInputReader,
  type StandardInputSplit,
} from "../readers/standard-input.ts";
export { arrowTable, polarsFrame, type TableOptions, type TableSplit } from "../readers/tables.ts";
export { fromActor, type FromActorOptions, type FromActorSplit } from "../readers/from-actor.ts";
export { webSocket, type MessageForm, type WebSocketOptions, type WebSocketSplit } from "../readers/web-socket.ts";
export type { BadRow, BadRows } from "../readers/text/bad-row.ts";
export type { GzipOption, TextSplit } from "../readers/text/splits.ts";
export type { FileSystemOptions, HttpOptions, S3Options } from "./files/index.ts";
export type { ColumnKind, ValueOf } from "./core/schema.ts";
export type { FileEntry, FileSystem, FileWriter, OpenFile } from "./core/contracts/file-system.ts";
export type { KeySelector } from "./core/key.ts";
export type { KeyOf, RowIn as KeyRowIn } from "./core/key-columns.ts";
export type { KeyColumns, OrderedKey, RowChannels } from "./partition/index.ts";
export { broadcastJoin, type BroadcastJoinKind } from "../operators/broadcast-join.ts";
export { cogroup, type CogroupGroup, type CogroupOptions, type CogroupState } from "../operators/cogroup.ts";
export { hashJoin, type HashJoinOptions } from "../operators/hash-join.ts";
export type {
  Joined,
  JoinKind,
  JoinOptions,
  JoinSide,
  LeftOf,
  RightOf,
  SharedKeys,
} from "../operators/join/options.ts";
export {
  foldByKey,
  mergeByKey,
  partialReduceByKey,
  reduceByKey,
  type FoldOptions,
  type Keyed,
  type PartialReduceOptions,
  type ReduceOptions,
} from "../operators/reduce-by-key.ts";
export { symmetricJoin } from "../operators/symmetric-join.ts";
export { union } from "../operators/union.ts";
export { zip, type ZipOptions, type ZipState } from "../operators/zip.ts";
export { countObjects, mergeCounts, partialCount } from "../operators/count.ts";
export { limit, partialLimit } from "../operators/limit.ts";
export { sort, type SortOptions } from "../operators/sort.ts";
export { partialTopK, topK, type TopKOptions } from "../operators/top-k.ts";
export type { Direction, SortKey } from "../operators/order.ts";
export { collect, type CollectAs, type Collected, type CollectOptions } from "../operators/sinks/collect.ts";
export { datasetSink, type DatasetOptions } from "../operators/sinks/dataset.ts";
export {
  actorSink,
  entitiesSink,
  type Sent,
  type SentToActors,
  type ToActorOptions,
} from "../operators/sinks/actor.ts";
export { forEach, type ForEachResult } from "../operators/sinks/for-each.ts";
export { writeArrow, type WriteArrowOptions } from "../operators/sinks/arrow.ts";
export { writeCsv, type Formulas, type WriteCsvOptions } from "../operators/sinks/csv.ts";
export { writeJsonLines, type WriteJsonLinesOptions } from "../operators/sinks/json-lines.ts";
export { writeLines, type WriteLinesOptions } from "../operators/sinks/lines.ts";
export { writeParquet, type ParquetCompression, type WriteParquetOptions } from "../operators/sinks/parquet.ts";
export {
  writeRedis,
  type RedisHashOptions as WriteRedisHashOptions,
  type RedisKeysOptions as WriteRedisKeysOptions,
  type RedisStreamOptions as WriteRedisStreamOptions,
  type RedisValue,
  type RedisWritten,
  type WriteRedisOptions,
} from "../operators/sinks/redis.ts";
export type { FilesWritten, FileSinkOptions, IfExists } from "../operators/sinks/files/format.ts";
export type { ReduceByKeyOptions } from "./flow/stream-operators.ts";
export { distinct, type DistinctOptions } from "../operators/distinct.ts";
export {
  aggregate,
  count,
  countDistinct,
  first,
  max,
  mean,
  mergeAggregates,
  min,
  partialAggregate,
  sum,
  type Aggregate,
  type Aggregated,
  type AggregateKind,
  type AggregateOptions,
  type AggregateRow,
  type AggregatesOf,
  type AggregateState,
  type AggregateValue,
} from "../operators/aggregate.ts";
