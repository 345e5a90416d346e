import type { ArrowBatch, ColumnsIn, PolarsBatch, RowIn } from "../lib/core/batch-types.ts";
import type {
  Declares,
  Incremental,
  Operator,
  OperatorDefinition,
  Representation,
  Stateful,
  Task,
} from "../lib/core/contracts/operator.ts";
import { checkOptionNames, namesOf } from "../lib/core/option-names.ts";
import { type AggregationState, dealAggregation, dealPartialAggregation } from "./aggregate/deal-aggregation.ts";
import { FrameGroups, type FrameGroupsChanges } from "./aggregate/frame-groups.ts";
import type { Aggregate, AggregateKind, AggregateValue } from "./aggregate/functions.ts";
import { type GroupChanges, ObjectGroups } from "./aggregate/object-groups.ts";
import { type AggregatePart, type AggregatePlan, planAggregates } from "./aggregate/plan.ts";

export {
  type Aggregate,
  type AggregateKind,
  type AggregateValue,
  count,
  countDistinct,
  first,
  max,
  mean,
  min,
  sum,
} from "./aggregate/functions.ts";

/** Aggregates by name, of columns that a stream has. */
export type AggregatesOf<T> = Readonly<Record<string, Aggregate<AggregateKind, ColumnsIn<T>>>>;

/** By which columns a stream is grouped, and what is made of each group. */
export interface AggregateOptions<
  T,
  By extends ColumnsIn<T> = ColumnsIn<T>,
  Aggregates extends AggregatesOf<T> = AggregatesOf<T>,
> {
  /** Columns or properties whose values make a group. Without any, the whole stream is one group. */
  readonly by?: By | readonly By[];
  /** The aggregates, by the names that they get in the result. */
  readonly aggregates: Aggregates;
  /** What the stream holds, where that is known: sums and means of plain objects don't depend on their order. */
  readonly representation?: Representation;
}

/** A row of a result: the columns that were grouped by, then the aggregates. */
export type AggregateRow<
  Row,
  By extends PropertyKey,
  Aggregates extends Readonly<Record<string, Aggregate>>,
  Count = number,
> = { readonly [Name in By & keyof Row]: Row[Name] } & {
  readonly [Name in keyof Aggregates]: AggregateValue<Row, Aggregates[Name], Count>;
} extends infer Result
  ? { readonly [Name in keyof Result]: Result[Name] }
  : never;

/** What an aggregation of a stream gives: objects of objects, batches of batches, where whole numbers have 64 bits. */
export type Aggregated<T, By extends PropertyKey, Aggregates extends Readonly<Record<string, Aggregate>>> =
  T extends ArrowBatch<unknown>
    ? ArrowBatch<AggregateRow<RowIn<T>, By, Aggregates, bigint>>
    : T extends PolarsBatch<unknown>
      ? PolarsBatch<AggregateRow<RowIn<T>, By, Aggregates, bigint>>
      : AggregateRow<T, By, Aggregates>;

/** A part of an aggregation on its way: the columns that it is grouped by, and states. */
export type AggregateState = unknown;

/** The names of its options. */
export const aggregateOptionNames: readonly string[] = namesOf<AggregateOptions<object>>({
  by: true,
  aggregates: true,
  representation: true,
});

/**
 * Aggregates a stream of plain objects or columnar batches; gives one row for each group at the end, in the representation
 * of its input (a batch for batches). Channels must get rows by the hash of `by`; without `by` there is one channel, and one
 * row even of an empty stream.
 *
 * Missing values are left out. Whole numbers add up exactly, in 64 bits for batches. Sums and means of fractions are exact
 * and independent of order for plain objects; for batches they depend, in their last digits, on order and batching.
 *
 * @throws QStreamError OPTION_INVALID; BAD_INPUT where values can't be aggregated; LIMIT_EXCEEDED where a sum leaves 64 bits
 * @example
 * flights.partition(hash("origin")).apply("delays", aggregate({ by: "origin", aggregates: { flights: count(), delay: mean("delay") } }))
 */
export function aggregate<
  T,
  const By extends ColumnsIn<T> = never,
  const Aggregates extends AggregatesOf<T> = AggregatesOf<T>,
>(options: AggregateOptions<T, By, Aggregates>): OperatorDefinition<{ in: T }, Aggregated<T, By, Aggregates>> {
  return definition(options, "whole", "aggregate");
}

/**
 * The first half of an aggregation in two: aggregates in each channel before rows are sent by the hash of `by`, whose
 * columns its outputs still have. `mergeAggregates` with the same options is the second half.
 */
export function partialAggregate<T>(options: AggregateOptions<T>): OperatorDefinition<{ in: T }, AggregateState> {
  return definition(options, "partial", "partial-aggregate");
}

/** The second half of an aggregation in two: merges the states of each group and gives the results. */
export function mergeAggregates<
  T,
  const By extends ColumnsIn<T> = never,
  const Aggregates extends AggregatesOf<T> = AggregatesOf<T>,
>(
  options: AggregateOptions<T, By, Aggregates>,
): OperatorDefinition<{ in: AggregateState }, Aggregated<T, By, Aggregates>> {
  return definition(options, "merge", "merge-aggregates");
}

const factories = { whole: "aggregate", partial: "partialAggregate", merge: "mergeAggregates" } as const;

function definition<T, In, Out>(
  options: AggregateOptions<T>,
  part: AggregatePart,
  kind: string,
): OperatorDefinition<{ in: In }, Out> {
  checkOptionNames(`${factories[part]}()`, options, aggregateOptionNames);
  const by = typeof options.by === "string" ? [options.by] : (options.by ?? []);
  const plan = planAggregates(by, options.aggregates);
  const parallelism = part === "partial" ? "same" : by.length === 0 ? "single" : "per-slot";
  return {
    kind,
    options: { by: plan.by, aggregates: options.aggregates },
    declares: declaresOf(plan, options.representation),
    parallelism,
    representations: ["objects", "arrow", "polars"],
    create: () => new Aggregation<In, Out>(plan, part),
    ...dealOf<In>(plan, part),
  };
}

/** One group of the whole stream is one channel's. */
function dealOf<In>(
  plan: AggregatePlan,
  part: AggregatePart,
): Pick<OperatorDefinition<{ in: In }, unknown, AggregationState>, "deal" | "keys"> {
  if (part === "partial") return { deal: (states, deal) => dealPartialAggregation(states, deal, plan) };
  if (plan.by.length === 0) return {};
  return { deal: (states, deal) => dealAggregation(states, deal, plan), keys: { in: plan.by } };
}

function declaresOf({ aggregates }: AggregatePlan, representation: Representation | undefined): Declares {
  const kinds = new Set(aggregates.map(({ kind }) => kind));
  // Order decides the last digits of the sums of fractions that Polars makes.
  if (representation !== "objects" && (kinds.has("sum") || kinds.has("mean"))) return "order-sensitive";
  return kinds.has("first") ? "arbitrary-choice" : "confluent";
}

/** Groups that a partial aggregation holds before it hands them on. */
const partialGroupsMax = 1 << 16;

interface AggregationChanges {
  readonly objects: GroupChanges;
  readonly frames: FrameGroupsChanges;
}

class Aggregation<In, Out>
  implements Operator<{ in: In }, Out>, Stateful<AggregationState>, Incremental<AggregationChanges>
{
  readonly #part: AggregatePart;
  readonly #objects: ObjectGroups;
  readonly #frames: FrameGroups;

  constructor(plan: AggregatePlan, part: AggregatePart) {
    this.#part = part;
    this.#objects = new ObjectGroups(plan);
    this.#frames = new FrameGroups(plan);
  }

  execute({ objects }: Task<{ in: In }>): readonly Out[] {
    const columnar = this.#frames.isColumnar(objects);
    if (columnar) {
      for (const batch of objects) {
        if (this.#part === "merge") this.#frames.merge(batch);
        else this.#frames.add(batch);
      }
    } else if (this.#part === "merge") {
      this.#objects.merge(objects as readonly Record<string, unknown>[]);
    } else {
      this.#objects.add(objects as readonly Record<string, unknown>[]);
    }
    const groups = columnar ? this.#frames.size : this.#objects.size;
    return this.#part === "partial" && groups > partialGroupsMax ? this.#give(columnar) : [];
  }

  done(): readonly Out[] | Promise<readonly Out[]> {
    const columnar = this.#frames.isColumnar([]);
    const loading = columnar ? this.#frames.ready() : undefined;
    return loading === undefined ? this.#give(columnar) : loading.then(() => this.#give(true));
  }

  snapshot(): AggregationState {
    return { objects: this.#objects.snapshot(), frames: this.#frames.snapshot() };
  }

  restore({ objects, frames }: AggregationState): void {
    this.#objects.restore(objects);
    this.#frames.restore(frames);
  }

  changes(): AggregationChanges | undefined {
    const objects = this.#objects.changes();
    const frames = this.#frames.changes();
    return objects && frames && { objects, frames };
  }

  apply({ objects, frames }: AggregationChanges): void {
    this.#objects.apply(objects);
    this.#frames.apply(frames);
  }

  #give(columnar: boolean): readonly Out[] {
    if (!columnar)
      return (this.#part === "partial" ? this.#objects.takeStates() : this.#objects.takeResults()) as Out[];
    const batch = this.#part === "partial" ? this.#frames.takeStates() : this.#frames.takeResults();
    return batch === undefined ? [] : [batch as Out];
  }
}
