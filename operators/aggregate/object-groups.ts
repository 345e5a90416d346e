import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { keyFunction, mapKey, type MapKey } from "../../lib/core/key.ts";
import { namesOf } from "../../lib/core/key-property.ts";
import { type Accumulator, accumulatorOf } from "./accumulators.ts";
import type { AggregatePlan } from "./plan.ts";

interface Group {
  readonly keys: readonly unknown[];
  readonly accumulators: readonly Accumulator[];
}

/** A group as plain data: its keys, and the state of each aggregate. */
export interface GroupState {
  readonly keys: readonly unknown[];
  readonly states: readonly unknown[];
}

type Row = Record<string, unknown>;

const groupsLimit = 2 ** 24 - 1;

/** Groups of plain objects. */
export class ObjectGroups {
  readonly #plan: AggregatePlan;
  readonly #keyOf: (row: Row) => Key;
  #groups = new Map<MapKey, Group>();
  #columnsChecked = false;

  constructor(plan: AggregatePlan) {
    this.#plan = plan;
    this.#keyOf = plan.by.length === 0 ? () => null : keyFunction<Row>(plan.by);
  }

  get size(): number {
    return this.#groups.size;
  }

  /** Takes objects of the stream. */
  add(rows: readonly Row[]): void {
    const { aggregates } = this.#plan;
    if (!this.#columnsChecked) this.#checkColumns(rows);
    for (const row of rows) {
      const { accumulators } = this.#groupOf(row);
      for (let index = 0; index < aggregates.length; index += 1) {
        const { column } = aggregates[index] as (typeof aggregates)[number];
        const value = column === undefined ? true : row[column];
        if (value !== null && value !== undefined) (accumulators[index] as Accumulator).add(value);
      }
    }
  }

  /** A column that the channel's first rows all lack is a wrong name; one that only some lack is an optional property. */
  #checkColumns(rows: readonly Row[]): void {
    const [row] = rows;
    if (row === undefined) return;
    this.#columnsChecked = true;
    for (const { column } of this.#plan.aggregates) {
      if (column === undefined || row[column] !== undefined || rows.some((each) => column in Object(each))) continue;
      throw new QStreamError("BAD_INPUT", "aggregate was given a column that the objects don't have", {
        column,
        advice: namesOf(row),
      });
    }
  }

  /** Takes rows that `takeStates` gave elsewhere. */
  merge(rows: readonly Row[]): void {
    for (const row of rows) mergeInto(this.#groupOf(row), row[this.#plan.stateName] as readonly unknown[]);
  }

  /** Hands groups over as rows that hold states, to be merged elsewhere. */
  takeStates(): Row[] {
    const { stateName } = this.#plan;
    return this.#take((group) => ({
      ...this.#keysOf(group),
      [stateName]: group.accumulators.map((each) => each.state()),
    }));
  }

  /** Hands groups over as result rows. Without keys there is one row, even of nothing. */
  takeResults(): Row[] {
    const { names, by } = this.#plan;
    if (by.length === 0) this.#groupOf({});
    return this.#take((group) => {
      const row = this.#keysOf(group);
      for (const [index, name] of names.entries()) row[name] = group.accumulators[index]?.result();
      return row;
    });
  }

  snapshot(): readonly GroupState[] {
    return [...this.#groups.values()].map(({ keys, accumulators }) => ({
      keys,
      states: accumulators.map((each) => each.state()),
    }));
  }

  restore(groups: readonly GroupState[]): void {
    this.#groups = new Map();
    this.#columnsChecked = groups.length > 0;
    for (const { keys, states } of groups) mergeInto(this.#groupOf(this.#rowOf(keys)), states);
  }

  #take(make: (group: Group) => Row): Row[] {
    const rows = [...this.#groups.values()].map(make);
    this.#groups = new Map();
    return rows;
  }

  #keysOf({ keys }: Group): Row {
    return this.#rowOf(keys);
  }

  #rowOf(keys: readonly unknown[]): Row {
    const row: Row = {};
    for (const [index, name] of this.#plan.by.entries()) row[name] = keys[index];
    return row;
  }

  #groupOf(row: Row): Group {
    const key = mapKey(this.#keyOf(row));
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= groupsLimit) {
        throw new QStreamError("LIMIT_EXCEEDED", `one channel can't hold more than ${groupsLimit} groups`, {
          advice: "Give the step more channels: groups are dealt to them.",
        });
      }
      group = { keys: this.#plan.by.map((name) => row[name]), accumulators: this.#plan.aggregates.map(accumulatorOf) };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function mergeInto({ accumulators }: Group, states: readonly unknown[]): void {
  for (const [index, accumulator] of accumulators.entries()) accumulator.merge(states[index] as never);
}
