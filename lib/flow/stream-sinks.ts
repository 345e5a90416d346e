import type { ActorReference } from "../core/contracts/actor.ts";
import type { Context } from "../core/contracts/context.ts";
import type { EntityKind } from "../core/contracts/entity-kind.ts";
import type { NamesTaking } from "../core/contracts/message-names.ts";
import type { OutputSink } from "../core/contracts/sink.ts";
import type { Dataset } from "../core/dataset.ts";
import {
  actorSink,
  entitiesSink,
  type Sent,
  type SentToActors,
  type ToActorOptions,
} from "../../operators/sinks/actor.ts";
import { writeArrow, type WriteArrowOptions } from "../../operators/sinks/arrow.ts";
import { collect, type CollectAs, type Collected, type CollectOptions } from "../../operators/sinks/collect.ts";
import { writeCsv, type WriteCsvOptions } from "../../operators/sinks/csv.ts";
import { datasetSink, type DatasetOptions } from "../../operators/sinks/dataset.ts";
import type { FilesWritten } from "../../operators/sinks/files/format.ts";
import { forEach, type ForEachResult } from "../../operators/sinks/for-each.ts";
import { writeJsonLines, type WriteJsonLinesOptions } from "../../operators/sinks/json-lines.ts";
import { writeLines, type WriteLinesOptions } from "../../operators/sinks/lines.ts";
import { writeParquet, type WriteParquetOptions } from "../../operators/sinks/parquet.ts";
import { type RedisWritten, writeRedis, type WriteRedisOptions } from "../../operators/sinks/redis.ts";
import type { Sink } from "./flow-builder.ts";
import { sinkNode } from "./make-step.ts";
import { StreamAggregations } from "./stream-aggregations.ts";
import { besideActors, checkOwnOptions, partOptions } from "./step-options.ts";
import type { StepOptions } from "./stream-types.ts";

/** The built-in sinks, as methods. `to` takes the same sinks, and a user's own. */
export abstract class StreamSinks<out T> extends StreamAggregations<T> {
  /** Adds a sink. The builder returns what this returns, under the name of an output. */
  to<Result>(sink: OutputSink<T, Result>, options: StepOptions = {}): Sink<Result> {
    return sinkNode(this.graph, this, sink, options);
  }

  /**
   * Brings all objects to the client: `run` resolves to an array of them, or with `as` to one Arrow table or Polars frame.
   *
   * @param options - `as`; `bytesMax`: how much may be collected
   */
  collect<As extends CollectAs | undefined = undefined>(options: CollectOptions<As> = {}): Sink<Collected<T, As>> {
    checkOwnOptions("collect", options);
    return this.to(collect<T, As>(options));
  }

  /** Keeps the objects in the slots where they are made, for later flows on the same session. */
  dataset(options: DatasetOptions = {}): Sink<Dataset<T>> {
    checkOwnOptions("dataset", options);
    return this.to(datasetSink<T>(options));
  }

  /** Calls a function for each object, in the slot where it is: at least once, should a task be repeated. */
  forEach(action: (object: T, ctx: Context) => void | Promise<void>, options: StepOptions = {}): Sink<ForEachResult> {
    return this.to(forEach<T>(action), options);
  }

  /** Writes lines of text, in part files that appear under `path` when the execution succeeds. */
  toLines(path: string, options: WriteLinesOptions<T> & StepOptions = {}): Sink<FilesWritten> {
    const { own, step } = partOptions("toLines", options);
    return this.to(writeLines<T>(path, own), step);
  }

  /** Writes CSV, in part files that appear under `path` when the execution succeeds. */
  toCsv(path: string, options: WriteCsvOptions & StepOptions = {}): Sink<FilesWritten> {
    const { own, step } = partOptions("toCsv", options);
    return this.to(writeCsv<T>(path, own), step);
  }

  /** Writes a line of JSON for each object, in part files that appear under `path` when the execution succeeds. */
  toJsonLines(path: string, options: WriteJsonLinesOptions & StepOptions = {}): Sink<FilesWritten> {
    const { own, step } = partOptions("toJsonLines", options);
    return this.to(writeJsonLines<T>(path, own), step);
  }

  /** Writes Parquet, in part files that appear under `path` when the execution succeeds. */
  toParquet(path: string, options: WriteParquetOptions & StepOptions = {}): Sink<FilesWritten> {
    const { own, step } = partOptions("toParquet", options);
    return this.to(writeParquet<T>(path, own), step);
  }

  /** Writes Arrow IPC, in part files that appear under `path` when the execution succeeds. */
  toArrow(path: string, options: WriteArrowOptions & StepOptions = {}): Sink<FilesWritten> {
    const { own, step } = partOptions("toArrow", options);
    return this.to(writeArrow<T>(path, own), step);
  }

  /** Writes to a stream, a hash or hashes of Redis, each object once. They are seen while the execution goes on. */
  writeRedis(url: string, options: WriteRedisOptions<T> & StepOptions): Sink<RedisWritten> {
    const { own, step } = partOptions("writeRedis", options);
    return this.to(writeRedis<T>(url, own as WriteRedisOptions<T>), step);
  }

  /**
   * Sends each object, or row of a batch, to an actor, and goes on when it has answered. So many messages of a channel may wait for their answers, which
   * is the credit: a slow actor holds the stream back.
   *
   * @param reference - passed to the flow as an argument
   * @param name - of the message; its payload is an object, or with `batches` an array of them
   * @example
   * return { recorded: orders.toActor(args.ledger, "record") };
   */
  toActor<P, const Options extends ToActorOptions & StepOptions = ToActorOptions & StepOptions>(
    reference: ActorReference<P>,
    name: NamesTaking<P, Sent<T, Options>>,
    options?: Options,
  ): Sink<SentToActors> {
    const { own, step } = partOptions<ToActorOptions & StepOptions>("toActor", options ?? {});
    const sink = actorSink<T, P>(reference, name as NamesTaking<P, T>, own);
    return this.to(sink, besideActors(sink.placement, step));
  }

  /**
   * Sends each object to the entity of its key, as `toActor` does to one actor.
   *
   * @param entities - passed to the flow as an argument: `system.entities(account)`
   * @example
   * return { paid: payments.toEntities(args.accounts, ({ owner }) => owner, "deposit") };
   */
  toEntities<P, const Options extends ToActorOptions & StepOptions = ToActorOptions & StepOptions>(
    entities: EntityKind<P>,
    key: (object: T) => string,
    name: NamesTaking<P, Sent<T, Options>>,
    options?: Options,
  ): Sink<SentToActors> {
    const { own, step } = partOptions<ToActorOptions & StepOptions>("toEntities", options ?? {});
    const sink = entitiesSink<T, P>(entities, key, name as NamesTaking<P, T>, own);
    return this.to(sink, besideActors(sink.placement, step));
  }
}
