import type { AggregateOptions } from "../../operators/aggregate.ts";
import type { CogroupOptions } from "../../operators/cogroup.ts";
import type { HashJoinOptions } from "../../operators/hash-join.ts";
import type { JoinOptions } from "../../operators/join/options.ts";
import type { WriteArrowOptions } from "../../operators/sinks/arrow.ts";
import type { CollectOptions } from "../../operators/sinks/collect.ts";
import type { WriteCsvOptions } from "../../operators/sinks/csv.ts";
import type { DatasetOptions } from "../../operators/sinks/dataset.ts";
import type { WriteJsonLinesOptions } from "../../operators/sinks/json-lines.ts";
import type { WriteLinesOptions } from "../../operators/sinks/lines.ts";
import type { WriteParquetOptions } from "../../operators/sinks/parquet.ts";
import type { WriteRedisOptions } from "../../operators/sinks/redis.ts";
import type { SortOptions } from "../../operators/sort.ts";
import type { TopKOptions } from "../../operators/top-k.ts";
import type { ZipOptions } from "../../operators/zip.ts";
import { checkOptionNames, namesOf } from "../core/option-names.ts";
import type { ApplyOptions, StepOptions } from "./stream-types.ts";

// Which options steps have, so that what isn't among them is named when a flow is built.

const ofFiles = { ifExists: true, rowsPerFile: true, bytesPerFile: true } as const;
const ofJoins = { left: true, right: true, how: true, combine: true, suffix: true, stateBytesMax: true } as const;
const ofRedis = { waitMs: true, marks: true, stream: true, hash: true, keys: true, key: true, value: true } as const;

/** Options of the methods of streams, beside those that all steps have. */
const ownNames = {
  reduceByKey: ["merge"],
  foldByKey: ["emit"],
  zip: namesOf<ZipOptions<unknown, unknown, unknown>>({ combine: true, strict: true }),
  join: namesOf<HashJoinOptions<object, object>>({ ...ofJoins, build: true }),
  streamingJoin: namesOf<JoinOptions<object, object>>(ofJoins),
  broadcastJoin: namesOf<JoinOptions<object, object>>(ofJoins),
  cogroup: namesOf<CogroupOptions<object, object, unknown>>({
    left: true,
    right: true,
    combine: true,
    declares: true,
    stateBytesMax: true,
  }),
  aggregate: namesOf<AggregateOptions<object>>({ by: true, aggregates: true, representation: true }),
  topK: namesOf<Pick<TopKOptions<unknown>, "order">>({ order: true }),
  sort: namesOf<Omit<SortOptions<unknown>, "by">>({ order: true, memoryBytes: true }),
  collect: namesOf<CollectOptions>({ as: true, bytesMax: true }),
  dataset: namesOf<DatasetOptions>({ bytesMax: true }),
  toLines: namesOf<WriteLinesOptions<unknown>>({ ...ofFiles, line: true }),
  toCsv: namesOf<WriteCsvOptions>({
    ...ofFiles,
    columns: true,
    separator: true,
    header: true,
    formulas: true,
    missing: true,
  }),
  toJsonLines: namesOf<WriteJsonLinesOptions>(ofFiles),
  toParquet: namesOf<WriteParquetOptions>({ ...ofFiles, compression: true, rowGroupRows: true }),
  toArrow: namesOf<WriteArrowOptions>({ ...ofFiles, format: true }),
  writeRedis: namesOf<WriteRedisOptions<unknown>>({ ...ofRedis, fields: true, maxLength: true }),
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
