import { loadBatches, representationOf } from "../../lib/core/batch/index.ts";
import type { Context } from "../../lib/core/contracts/context.ts";
import type { Operator, OperatorDefinition, Outputs } from "../../lib/core/contracts/operator.ts";
import { Run } from "../../lib/core/contracts/reader.ts";
import { MemoryDisk } from "../../lib/testing/memory-disk.ts";
import { type TestContext, testContext } from "../../lib/testing/test-context.ts";
import { Lives } from "./reborn.ts";

export { MemoryDisk };

/** One task of a driven operator: objects of one of its inputs. */
export interface DrivenTask {
  readonly input: string;
  readonly objects: readonly unknown[];
}

export interface DriveOptions {
  /**
   * Saves the operator after every task and goes on with a fresh one that was restored: at once, or, where the operator tells
   * what has changed, after none, one or two changes in turn; its state must then be what the other's is. Default false.
   */
  readonly restoring?: boolean;
  /** Parts of the context. Its disk is in memory unless given. */
  readonly context?: Partial<Context>;
  /** Inputs to end, in this order; those that tasks name unless told. */
  readonly inputs?: readonly string[];
}

/** What a driven operator gave, and the context that it was given. */
export interface Driven<Out> {
  readonly objects: Out[];
  readonly ctx: TestContext;
}

/** Runs an operator's one channel over tasks by hand, to the end of all inputs, and returns what it gave. */
export async function drive<Out>(
  // oxlint-disable-next-line typescript/no-explicit-any -- tasks name inputs as text
  definition: OperatorDefinition<any, Out>,
  tasks: readonly DrivenTask[],
  options: DriveOptions = {},
): Promise<Out[]> {
  return (await driveFully(definition, tasks, options)).objects;
}

/** The same as `drive`, and returns the context as well. */
export async function driveFully<Out>(
  // oxlint-disable-next-line typescript/no-explicit-any -- tasks name inputs as text
  definition: OperatorDefinition<any, Out>,
  tasks: readonly DrivenTask[],
  options: DriveOptions = {},
): Promise<Driven<Out>> {
  const ctx = testContext({ spill: new MemoryDisk(), ...options.context });
  const objects: Out[] = [];
  let operator = await opened(definition, ctx);
  const lives = new Lives(definition, ctx);
  try {
    for (const task of tasks) {
      if (ctx.stopped) break;
      if (task.objects.some((object) => representationOf(object) !== undefined)) await loadBatches();
      // oxlint-disable-next-line typescript/no-explicit-any -- see above
      await take(operator.execute(task as any, ctx), objects);
      ctx.seq += 1;
      if (options.restoring === true && !ctx.stopped) operator = await lives.after(operator, task);
    }
    if (!ctx.stopped) await finish(operator, options.inputs ?? new Set(tasks.map((task) => task.input)), ctx, objects);
  } finally {
    await operator.close?.();
  }
  return { objects, ctx };
}

async function finish<Out>(
  // oxlint-disable-next-line typescript/no-explicit-any -- see drive
  operator: Operator<any, Out>,
  inputs: Iterable<string>,
  ctx: TestContext,
  objects: Out[],
): Promise<void> {
  for (const input of inputs) {
    await take(operator.inputDone?.(input, ctx), objects);
    ctx.seq += 1;
    if (ctx.stopped) return;
  }
  await take(operator.done?.(ctx), objects);
}

// oxlint-disable-next-line typescript/no-explicit-any -- see drive
async function opened<Out>(definition: OperatorDefinition<any, Out>, ctx: TestContext): Promise<Operator<any, Out>> {
  const operator = definition.create();
  await operator.open?.(ctx);
  return operator;
}

async function take<Out>(outputs: Outputs<Out>, objects: Out[]): Promise<void> {
  const given = await outputs;
  if (given === undefined || given === null) return;
  // A run counts as the objects it holds; a columnar batch is one object.
  for await (const object of given as AsyncIterable<Out> | Iterable<Out>) {
    if (object instanceof Run) objects.push(...(object.objects as readonly Out[]));
    else objects.push(object);
  }
}

/** Cuts a list into tasks of the given sizes, used over and over; what an operator gets never depends on them. */
export function cut(objects: readonly unknown[], sizes: readonly number[], input = "in"): DrivenTask[] {
  const tasks: DrivenTask[] = [];
  for (let from = 0; from < objects.length;) {
    const size = Math.max(1, sizes[tasks.length % Math.max(1, sizes.length)] ?? 1);
    tasks.push({ input, objects: objects.slice(from, from + size) });
    from += size;
  }
  return tasks;
}
