import type { Deal } from "../../lib/core/contracts/operator.ts";
import type { Key } from "../../lib/core/contracts/partition.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { keyFunction, mapKey, type MapKey } from "../../lib/core/key.ts";
import { namesOf } from "../../lib/core/key-property.ts";
import { type Accumulator, accumulatorOf } from "./accumulators.ts";
import type { AggregatePlan } from "./plan.ts";

interface Group {
  readonly keys: readonly unknown[];
  readonly accumulators: readonly Accumulator[];
  /** It has changed since groups were last saved, and is among those that did; always true while they never were. */
  changed: boolean;
}

/** A group as plain data: its keys, and the state of each aggregate. */
export interface GroupState {
  readonly keys: readonly unknown[];
  readonly states: readonly unknown[];
}

/** What has changed in groups. */
export interface GroupChanges {
  /** All were handed over in between: only those that changed afterwards are left. */
  readonly cleared: boolean;
  readonly groups: readonly GroupState[];
}

type Row = Record<string, unknown>;

/** The groups of several states whose keys are taken. No two of them have the same. */
export function dealGroups(states: readonly (readonly GroupState[])[], { takes }: Deal): readonly GroupState[] {
  return states.flatMap((groups) =>
    groups.filter(({ keys }) => takes(keys.length === 1 ? (keys[0] as Key) : (keys as readonly Key[]))),
  );
}

/** The groups of several states, which may have the same ones. */
export function mergedGroups(states: readonly (readonly GroupState[])[], plan: AggregatePlan): readonly GroupState[] {
  if (states.length < 2) return states[0] ?? [];
  const groups = new ObjectGroups(plan);
  for (const state of states) groups.mergeStates(state);
  return groups.snapshot();
}

const groupsLimit = 2 ** 24 - 1;

/** Groups of plain objects. */
export class ObjectGroups {
  readonly #plan: AggregatePlan;
  readonly #keyOf: (row: Row) => Key;
  #groups = new Map<MapKey, Group>();
  #columnsChecked = false;
  /** Groups that have changed since they were last saved; undefined while they never were. */
  #changed: Group[] | undefined;
  #cleared = false;

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

  /** Takes groups that `snapshot` gave elsewhere. */
  mergeStates(groups: readonly GroupState[]): void {
    for (const { keys, states } of groups) mergeInto(this.#groupOf(this.#rowOf(keys)), states);
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
    // Of groups that were never saved, all count as changed.
    for (const group of this.#changed ?? this.#groups.values()) group.changed = false;
    this.#changed = [];
    this.#cleared = false;
    return [...this.#groups.values()].map(stateOf);
  }

  /** What has changed since this or `snapshot` was last called; undefined where that never was. */
  changes(): GroupChanges | undefined {
    const changed = this.#changed;
    if (changed === undefined) return undefined;
    const cleared = this.#cleared;
    for (const group of changed) group.changed = false;
    this.#changed = [];
    this.#cleared = false;
    return { cleared, groups: changed.map(stateOf) };
  }

  restore(groups: readonly GroupState[]): void {
    this.apply({ cleared: true, groups });
  }

  /** Takes over what `changes` gave elsewhere. */
  apply({ cleared, groups }: GroupChanges): void {
    if (cleared) this.#clear();
    if (groups.length > 0) this.#columnsChecked = true;
    for (const { keys, states } of groups) {
      const key = mapKey(this.#keyOf(this.#rowOf(keys)));
      const group = this.#newGroup(keys);
      mergeInto(group, states);
      this.#groups.set(key, group);
    }
  }

  #take(make: (group: Group) => Row): Row[] {
    const rows = [...this.#groups.values()].map(make);
    this.#clear();
    return rows;
  }

  #clear(): void {
    this.#groups = new Map();
    if (this.#changed === undefined) return;
    this.#changed = [];
    this.#cleared = true;
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
      group = this.#newGroup(this.#plan.by.map((name) => row[name]));
      this.#groups.set(key, group);
    } else if (!group.changed) {
      group.changed = true;
      this.#changed?.push(group);
    }
    return group;
  }

  #newGroup(keys: readonly unknown[]): Group {
    const group = { keys, accumulators: this.#plan.aggregates.map(accumulatorOf), changed: true };
    this.#changed?.push(group);
    return group;
  }
}

function stateOf({ keys, accumulators }: Group): GroupState {
  return { keys, states: accumulators.map((each) => each.state()) };
}

function mergeInto({ accumulators }: Group, states: readonly unknown[]): void {
  for (const [index, accumulator] of accumulators.entries()) accumulator.merge(states[index] as never);
}
