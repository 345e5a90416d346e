import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches, loadPolars } from "../../lib/core/batch/index.ts";
import {
  aggregate,
  count,
  countDistinct,
  distinct,
  mergeAggregates,
  partialAggregate,
  sort,
  sum,
} from "../../lib/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks } from "./batches.ts";
import {
  type AnyDefinition,
  type AnyOperator,
  ctx,
  cutAll,
  joins,
  listed,
  type Row,
  rows,
  size,
  type Task,
  taskOf,
} from "./changes-cases.ts";
import { MemoryDisk } from "./drive.ts";

const test = suite("states of batches and sorts with changes on top");

/**
 * Saves an operator after each task, whole the first time only; then one that was restored must go on just as it does, in the
 * same order.
 */
async function goesOnLater(
  name: string,
  definition: AnyDefinition,
  tasks: readonly Task[],
  half: number,
): Promise<void> {
  const disk = new MemoryDisk();
  const waiting = testContext({ spill: disk });
  const give = async (one: AnyOperator, task: Task): Promise<unknown[]> =>
    collected(one.execute(task as never, waiting));
  const operator = definition.create() as AnyOperator;
  const saved: unknown[] = [];
  for (const task of tasks.slice(0, half)) {
    await give(operator, task);
    const state: unknown = await (saved.length === 0 ? operator.snapshot?.() : operator.changes?.());
    // Undefined: what came is more than what there was. Then all is saved anew.
    if (state === undefined) saved.length = 0;
    saved.push(structuredClone(state ?? (await operator.snapshot?.())));
  }
  const restored = definition.create() as AnyOperator;
  const [base, ...changes] = saved;
  restored.restore?.(base);
  for (const each of changes) restored.apply?.(each);
  const whole = structuredClone(await restored.snapshot?.());
  const again = definition.create() as AnyOperator;
  again.restore?.(whole);
  again.apply?.(structuredClone(await restored.changes?.()));
  const given = async (one: AnyOperator): Promise<unknown> => {
    const all: unknown[] = [];
    for (const task of tasks.slice(half)) all.push(await give(one, task));
    all.push(await collected(one.done?.(waiting)));
    await one.close?.();
    return plain(all);
  };
  const wanted = await given(operator);
  assert.is(await given(restored), wanted, `${name}, saved after ${half} tasks`);
  assert.is(await given(again), wanted, `${name}, saved after ${half} tasks, and once more when restored`);
}

async function collected(outputs: unknown): Promise<unknown[]> {
  const objects: unknown[] = [];
  for await (const object of ((await outputs) ?? []) as AsyncIterable<unknown>) objects.push(object);
  return objects;
}

/** As text, batches as their rows. */
function plain(given: unknown): string {
  return JSON.stringify(given, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : ((value as { toRecords?: () => unknown })?.toRecords?.() ?? value),
  );
}

async function batches(input: string, objects: readonly Row[], each = 3): Promise<Task[]> {
  return (await batchTasks(objects, [each], "polars")).map((task) => ({ ...task, input }));
}

test("joins of batches go on as those that were saved", async () => {
  await loadBatches();
  for (const [name, definition] of joins) {
    const objects = Array.from({ length: 24 }, (_, at) => ({ key: (at * 5) % 11, value: at }));
    const [l, r] = [await batches("left", objects.slice(6)), await batches("right", objects.slice(0, 15))];
    const mixed = l.flatMap((task, at) => (r[at] === undefined ? task : [task, r[at]]));
    const ordered = name.endsWith("right") ? [...r, ...l] : [...l, ...r];
    const tasks = name.startsWith("symmetric") ? mixed : ordered;
    for (const half of name.startsWith("symmetric") ? [3, 6] : [5]) await goesOnLater(name, definition, tasks, half);
  }
});

/** The batches that changes of a join hold. */
function arrivedIn(changes: unknown): readonly unknown[] {
  const { core } = changes as { readonly core: { readonly built?: unknown[]; readonly arrived?: unknown[] } };
  return core.built ?? (core.arrived ?? []).filter((each) => each !== "met");
}

test("joins of batches save what came", async () => {
  const objects = Array.from({ length: 400 }, (_, at) => ({ key: at, value: at }));
  const tasks = await batches("right", objects, 20);
  for (const [name, definition] of joins) {
    if (name.endsWith("left")) continue;
    const operator = definition.create() as AnyOperator;
    for (const task of tasks.slice(0, 18)) taskOf(operator, task);
    operator.snapshot?.();
    for (const task of tasks.slice(18)) taskOf(operator, task);
    assert.is(arrivedIn(operator.changes?.()).length, 2, name);
    assert.is(arrivedIn(operator.changes?.()).length, 0, name);
  }
});

const values = { rows: count(), total: sum("value"), kinds: countDistinct("value") };
/** Operators of one input that take batches. A sort with so little memory goes to disk. */
const ofBatches: readonly (readonly [string, AnyDefinition])[] = [
  ["aggregate", aggregate<Row, "key">({ by: "key", aggregates: values })],
  ["aggregate of all", aggregate<Row>({ aggregates: values })],
  ["partial aggregate", partialAggregate<Row>({ by: "key", aggregates: values })],
  ["distinct", distinct<Row>({ key: "key" })],
  ["distinct by two", distinct<Row>({ key: ["value", "key"] })],
  ["sort", sort<Row>({ by: "key" })],
  ["sort on disk", sort<Row>({ by: "key", memoryBytes: 400 })],
];

test("operators of batches go on as those that were saved", async () => {
  await loadBatches();
  const objects = Array.from({ length: 40 }, (_, at) => ({ key: (at * 5) % 13, value: at % 7 }));
  const tasks = await batches("in", objects, 4);
  for (const [name, definition] of ofBatches) {
    for (const half of [2, 5, tasks.length]) await goesOnLater(name, definition, tasks, half);
  }
});

test("merged aggregates of batches go on as those that were saved", async () => {
  await loadBatches();
  const options = { by: "key", aggregates: values } as const;
  const tasks: Task[] = [];
  for (let from = 0; from < 40; from += 4) {
    const rowsOfTask = Array.from({ length: 4 }, (_, at) => ({ key: ((from + at) * 5) % 13, value: at }));
    const half = partialAggregate<Row>(options).create() as AnyOperator;
    for (const task of await batches("in", rowsOfTask, 4)) taskOf(half, task);
    tasks.push({ input: "in", objects: listed(half.done?.(ctx)) });
  }
  for (const half of [2, 5, tasks.length]) {
    await goesOnLater("merge", mergeAggregates<Row, "key">(options), tasks, half);
  }
});

test("groups of batches that were grouped, and merged, go on as those that were saved", async () => {
  await loadBatches();
  // Beyond 262,144 rows batches are grouped, and beyond 65,536 groups these are merged.
  const pl = loadPolars();
  const rowsEach = 30_000;
  const tasks = Array.from({ length: 12 }, (_, task) => ({
    input: "in",
    objects: [
      pl.DataFrame({
        key: Float64Array.from({ length: rowsEach }, (_, at) => (at * 7 + task * 13_001) % 90_001),
        value: Float64Array.from({ length: rowsEach }, (_, at) => at / 3),
      }),
    ],
  }));
  const totals = { rows: count(), total: sum("value") };
  await goesOnLater("large", aggregate<Row, "key">({ by: "key", aggregates: totals }), tasks, 10);
});

test("a sort of objects goes on as the one that was saved, in memory and on disk", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      size,
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, 500, 2000),
      async (objects, each, half, memory) => {
        const definition = sort<Row>({ by: "key", ...(memory === undefined ? {} : { memoryBytes: memory }) });
        await goesOnLater("sort", definition, cutAll("in", [{ key: 3, value: 9 }, ...objects], each), half);
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
