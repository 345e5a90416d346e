import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { aggregate, cogroup, countDistinct, distinct, first, foldByKey, max, reduceByKey } from "../../lib/index.ts";
import { suite } from "../kit/suite.ts";
import {
  type AnyDefinition,
  type AnyOperator,
  ctx,
  cutAll,
  joins,
  keys,
  listed,
  type Row,
  rows,
  size,
  type Task,
  taskOf,
} from "./changes-cases.ts";

const test = suite("states with changes on top");

const one: readonly (readonly [string, AnyDefinition])[] = [
  [
    "reduce",
    reduceByKey<Row, number, number>({ key: ({ key }) => key, init: () => 0, reduce: (sum, { value }) => sum + value }),
  ],
  [
    "fold",
    foldByKey<Row, number, number>({
      key: ({ key }) => key,
      init: () => 0,
      fold: (last, { value }) => last * 3 + value,
    }),
  ],
  ["distinct", distinct<Row>({ key: "key" })],
  [
    "aggregate",
    aggregate<Row, "key">({
      by: "key",
      aggregates: { most: max("value"), any: first("value"), kinds: countDistinct("value") },
    }),
  ],
];
const pairs: readonly (readonly [string, AnyDefinition])[] = [
  ...joins,
  ["cogroup", cogroup<Row, Row, unknown>({ ...keys, combine: (key, left, right) => [key, left.length, right.length] })],
];

/** After which tasks all of the state is saved; after others, what changed. */
const saves = fc.array(fc.constantFrom("whole", "changes", "changes", "changes", "nothing"), {
  minLength: 1,
  maxLength: 9,
});

/** Saves an operator as told after each task; then one that was restored must go on just as it does, in the same order. */
function goesOn(
  name: string,
  definition: AnyDefinition,
  tasks: readonly Task[],
  how: readonly string[],
  half: number,
): void {
  const operator = definition.create() as AnyOperator;
  let saved: unknown[] = [];
  const before = tasks.slice(0, half);
  const save = (whole: boolean): void => {
    const changes: unknown = whole || saved.length === 0 ? undefined : operator.changes?.();
    if (changes === undefined) saved = [];
    saved.push(structuredClone(changes ?? operator.snapshot?.()));
  };
  for (const [index, task] of before.entries()) {
    taskOf(operator, task);
    const kind = how[index % how.length];
    if (kind !== "nothing") save(kind === "whole");
  }
  save(false);
  const restored = definition.create() as AnyOperator;
  const [base, ...changes] = saved;
  restored.restore?.(base);
  for (const each of changes) restored.apply?.(each);
  const rest = tasks.slice(half);
  const given = (one: AnyOperator): unknown[] => [...rest.map((task) => taskOf(one, task)), listed(one.done?.(ctx))];
  assert.equal(given(restored), given(operator), `${name}, ${changes.length} changes`);
}

test("operators with one input go on as those that were saved", () => {
  fc.assert(
    fc.property(rows, size, saves, fc.nat(20), (objects, each, how, half) => {
      for (const [name, definition] of one) goesOn(name, definition, cutAll("in", objects, each), how, half);
    }),
    { numRuns: 100 },
  );
});

test("operators with two inputs go on as those that were saved", () => {
  fc.assert(
    fc.property(rows, rows, size, saves, fc.nat(30), (left, right, each, how, half) => {
      for (const [name, definition] of pairs) {
        const [l, r] = [cutAll("left", left, each), cutAll("right", right, each)];
        goesOn(name, definition, name.endsWith("right") ? [...r, ...l] : [...l, ...r], how, half);
      }
    }),
    { numRuns: 30 },
  );
});

test("what was never saved whole has no changes to tell", () => {
  for (const [name, definition] of [...one, ...pairs]) {
    const operator = definition.create() as AnyOperator;
    const changes: unknown = operator.changes?.();
    assert.ok(changes === undefined || (changes as unknown[]).length === 0, name);
  }
});

test.run();
