import { aggregateOptionNames } from "../../operators/aggregate.ts";
import { cogroupOptionNames } from "../../operators/cogroup.ts";
import { hashJoinOptionNames } from "../../operators/hash-join.ts";
import { joinOptionNames } from "../../operators/join/options.ts";
import { toActorOptionNames } from "../../operators/sinks/actor.ts";
import { writeArrowOptionNames } from "../../operators/sinks/arrow.ts";
import { collectOptionNames } from "../../operators/sinks/collect.ts";
import { writeCsvOptionNames } from "../../operators/sinks/csv.ts";
import { datasetOptionNames } from "../../operators/sinks/dataset.ts";
import { writeJsonLinesOptionNames } from "../../operators/sinks/json-lines.ts";
import { writeLinesOptionNames } from "../../operators/sinks/lines.ts";
import { writeParquetOptionNames } from "../../operators/sinks/parquet.ts";
import { writeRedisOptionNames } from "../../operators/sinks/redis.ts";
import { sortOptionNames } from "../../operators/sort.ts";
import { zipOptionNames } from "../../operators/zip.ts";
import { fromActorOptionNames } from "../../readers/from-actor.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import type { ApplyOptions, StepOptions } from "./stream-types.ts";

// Which options steps have, so that what isn't among them is named when a flow is built.

/** Options of the methods of streams, beside those that all steps have. */
const ownNames = {
  reduceByKey: ["merge"],
  foldByKey: ["emit"],
  zip: zipOptionNames,
  join: hashJoinOptionNames,
  streamingJoin: joinOptionNames,
  broadcastJoin: joinOptionNames,
  cogroup: cogroupOptionNames,
  aggregate: aggregateOptionNames,
  topK: ["order"],
  sort: sortOptionNames.filter((name) => name !== "by"),
  collect: collectOptionNames,
  dataset: datasetOptionNames,
  toLines: writeLinesOptionNames,
  toCsv: writeCsvOptionNames,
  toJsonLines: writeJsonLinesOptionNames,
  toParquet: writeParquetOptionNames,
  toArrow: writeArrowOptionNames,
  writeRedis: writeRedisOptionNames,
  toActor: toActorOptionNames,
  toEntities: toActorOptionNames,
  fromActor: fromActorOptionNames,
} as const;

const ofSteps = namesOf<StepOptions>({ channels: true, place: true });

const ofOperators = namesOf<ApplyOptions<string>>({
  channels: true,
  place: true,
  stages: true,
  declares: true,
  endsEarly: true,
  kind: true,
  onFailure: true,
});

/**
 * Refuses options that no step of this kind has: all steps come by here.
 *
 * @throws QStreamError OPTION_INVALID, with the nearest name that there is
 */
export function checkStepOptions(kind: "reader" | "operator" | "sink", what: string, options: unknown): void {
  checkOptionNames(`${kind} "${what}"`, options, kind === "operator" ? ofOperators : ofSteps);
}

/** Refuses options that a method of streams doesn't have. */
export function checkOwnOptions(method: keyof typeof ownNames, options: unknown): void {
  checkOptionNames(`${method}()`, options, ownNames[method]);
}

/** Parts the options of a method into its own and its step's. */
export function partOptions<Options extends StepOptions>(
  method: keyof typeof ownNames,
  options: Options,
): { readonly own: Omit<Options, keyof StepOptions>; readonly step: StepOptions } {
  checkOptionNames(`${method}()`, options, [...ownNames[method], ...ofSteps]);
  const { channels, place, ...own } = options;
  return {
    own,
    step: { ...(channels === undefined ? {} : { channels }), ...(place === undefined ? {} : { place }) },
  };
}

/** Where steps run that deal with actors of the client's own thread: there, however many channels they have. */
export function besideActors(parallelism: string | undefined, step: StepOptions): StepOptions {
  if (parallelism !== "client" || step.channels === undefined || step.place !== undefined) return step;
  return { ...step, place: { kind: "client" } };
}
