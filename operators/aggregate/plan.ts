import { QStreamError } from "../../lib/core/errors.ts";
import type { Aggregate } from "./functions.ts";

/** Which part of an aggregation an operator does: all of it, or the part before or after objects are sent by key. */
export type AggregatePart = "whole" | "partial" | "merge";

/** An aggregation taken apart. */
export interface AggregatePlan {
  readonly by: readonly string[];
  /** Names of the result's aggregates, and the aggregates in the same order. */
  readonly names: readonly string[];
  readonly aggregates: readonly Aggregate[];
  /** The columns that it reads, without doubles. */
  readonly columns: readonly string[];
  /** How columns that hold states are named, or begin: like none of `by`. */
  readonly stateName: string;
}

/** Takes an aggregation apart. @throws QStreamError OPTION_INVALID without aggregates, or for a name used twice */
export function planAggregates(by: readonly string[], aggregates: Readonly<Record<string, Aggregate>>): AggregatePlan {
  const names = Object.keys(aggregates);
  if (names.length === 0) {
    throw new QStreamError("OPTION_INVALID", "there is nothing to aggregate", {
      advice: "Name aggregates, like { flights: count() }.",
    });
  }
  const columns = [...by, ...names];
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new QStreamError("OPTION_INVALID", `the result of aggregate would have "${twice}" twice`, {
      advice: "Give the aggregate another name.",
    });
  }
  let stateName = "state";
  while (by.some((name) => name.startsWith(stateName))) stateName += "_";
  const values = names.map((name) => aggregates[name] as Aggregate);
  const read = new Set([...by, ...values.flatMap(({ column }) => column ?? [])]);
  return { by, names, aggregates: values, columns: [...read], stateName };
}
