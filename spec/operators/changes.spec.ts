import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches } from "../../lib/core/batch/index.ts";
import type { Many, Operator, OperatorDefinition } from "../../lib/core/contracts/operator.ts";
import {
  aggregate,
  cogroup,
  countDistinct,
  distinct,
  first,
  foldByKey,
  hashJoin,
  max,
  reduceByKey,
  symmetricJoin,
} from "../../lib/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import type { JoinKind } from "../../operators/join/options.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks } from "./batches.ts";

const test = suite("states with changes on top");

interface Row {
  readonly key: number;
  readonly value: number;
}

type Inputs = { in: Row; left: Row; right: Row };
type AnyOperator = Operator<Inputs, unknown>;
// oxlint-disable-next-line typescript/no-explicit-any -- definitions of several inputs
type AnyDefinition = OperatorDefinition<any, unknown>;

const ctx = testContext();
const kinds: readonly JoinKind[] = ["inner", "left", "right", "full", "semi", "anti"];
const keys = { left: "key", right: "key" } as const;
const joins: readonly (readonly [string, AnyDefinition])[] = kinds.flatMap((how) => [
  [`hash join, ${how}, build left`, hashJoin<Row, Row>({ ...keys, how: how as "inner", build: "left" })] as const,
  [`hash join, ${how}, build right`, hashJoin<Row, Row>({ ...keys, how: how as "inner", build: "right" })] as const,
  [`symmetric join, ${how}`, symmetricJoin<Row, Row>({ ...keys, how: how as "inner" })] as const,
]);
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

const rows = fc.array(fc.record({ key: fc.nat(12), value: fc.nat(5) }, { noNullPrototype: true }), { maxLength: 60 });
const size = fc.integer({ min: 1, max: 7 });
/** After which tasks all of the state is saved; after others, what changed. */
const saves = fc.array(fc.constantFrom("whole", "changes", "changes", "changes", "nothing"), {
  minLength: 1,
  maxLength: 9,
});

interface Task {
  readonly input: string;
  readonly objects: readonly unknown[];
}

function cutAll(input: string, objects: readonly Row[], each: number): Task[] {
  return Array.from({ length: Math.ceil(objects.length / each) }, (_, at) => ({
    input,
    objects: objects.slice(at * each, (at + 1) * each),
  }));
}

function taskOf(operator: AnyOperator, { input, objects }: Task): readonly unknown[] {
  return listed(operator.execute({ input, objects } as never, ctx));
}

function listed(given: unknown): readonly unknown[] {
  return [...((given as Many<unknown> | undefined) ?? [])];
}

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

test("joins of batches go on as those that were saved", async () => {
  await loadBatches();
  const batches = async (input: string, objects: readonly Row[]): Promise<Task[]> =>
    (await batchTasks(objects as never, [3], "polars")).map((task) => ({ ...task, input }));
  const plain = (objects: unknown): unknown =>
    JSON.stringify(objects, (_, value: unknown) => (value as { rows?: () => unknown })?.rows?.() ?? value);
  for (const [name, definition] of joins) {
    if (!name.startsWith("hash")) continue;
    const objects = Array.from({ length: 24 }, (_, at) => ({ key: (at * 5) % 11, value: at }));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const [l, r] = [await batches("left", objects.slice(6)), await batches("right", objects.slice(0, 15))];
    const tasks = name.endsWith("right") ? [...r, ...l] : [...l, ...r];
    for (let half = 1; half < tasks.length; half++) {
      const operator = definition.create() as AnyOperator;
      const saved: unknown[] = [];
      for (const task of tasks.slice(0, half)) {
        taskOf(operator, task);
        saved.push(structuredClone(saved.length === 0 ? operator.snapshot?.() : operator.changes?.()));
      }
      assert.not.ok(saved.includes(undefined), name);
      const restored = definition.create() as AnyOperator;
      restored.restore?.(saved[0]);
      for (const each of saved.slice(1)) restored.apply?.(each);
      restored.snapshot?.();
      const more = structuredClone(restored.changes?.()) as { core: { built: unknown[] } };
      assert.equal(more.core.built, [], "nothing came since");
      const given = (one: AnyOperator): unknown =>
        plain([...tasks.slice(half).map((task) => taskOf(one, task)), listed(one.done?.(ctx))]);
      assert.is(given(restored), given(operator), `${name}, saved after ${half} tasks`);
    }
  }
});

test("what was never saved whole has no changes to tell", () => {
  for (const [name, definition] of [...one, ...pairs]) {
    const operator = definition.create() as AnyOperator;
    const changes: unknown = operator.changes?.();
    assert.ok(changes === undefined || (changes as unknown[]).length === 0, name);
  }
});

test.run();
