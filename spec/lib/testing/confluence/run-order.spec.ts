import * as assert from "uvu/assert";
import gramian from "../../../../examples/gramian.ts";
import type { OperatorContext } from "../../../../lib/core/contracts/context.ts";
import { foldByKey, hashJoin, zip, type Operator, QStreamError, type Task } from "../../../../lib/index.ts";
import { checkConfluence, checkFlow, operatorOf, runInOrder, type OrderStep } from "../../../../lib/testing/index.ts";
import { sourceText } from "../../../../lib/testing/confluence/source-text.ts";
import flow, { elsewhere } from "../../cli/flows/checked.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("orders");

const take = (input: string, ...objects: readonly unknown[]): OrderStep => ({ kind: "take", input, objects });

/** Tells what happens to it. */
class Telling implements Operator<{ left: number; right: number }, string> {
  #sum = 0;
  #lives = 1;

  execute({ input, objects }: Task<{ left: number; right: number }>, ctx: OperatorContext): string[] {
    for (const value of objects) this.#sum += value;
    if (input === "left") ctx.timers.set("late", 10);
    return [`${input} ${objects.join("+")} at ${ctx.now()}`];
  }

  onTimer(name: string, ctx: OperatorContext): string[] {
    return [`${name} at ${ctx.now()}`];
  }

  inputDone(input: string): string[] {
    return [`${input} is done`];
  }

  done(): string[] {
    return [`${this.#sum} in ${this.#lives} lives`];
  }

  snapshot(): readonly [number, number] {
    return [this.#sum, this.#lives];
  }

  restore([sum, lives]: readonly [number, number]): void {
    this.#sum = sum;
    this.#lives = lives + 1;
  }
}

test("an order is taken step by step, with timers, ends and restarts where they stand", async () => {
  const steps: readonly OrderStep[] = [
    take("left", 1, 2),
    { kind: "restart" },
    { kind: "end", input: "left" },
    { kind: "take", input: "right", objects: [4], afterMs: 25 },
    { kind: "restart" },
  ];
  assert.equal(await runInOrder(() => new Telling(), { steps, startMs: 100 }), [
    "left 1+2 at 100",
    "left is done",
    "late at 110",
    "right 4 at 125",
    "right is done",
    "7 in 3 lives",
  ]);
});

test("what an operator doesn't accept yet is put off, and so are inputs of later stages", async () => {
  const steps = [take("left", 1), take("left", 2), take("right", "a"), take("right", "b"), take("left", 3)];
  assert.equal(await runInOrder(zip(), { steps, inputs: ["left", "right"] }), [
    [1, "a"],
    [2, "b"],
  ]);
  const joining = hashJoin<{ k: number }, { k: number }>({ left: "k", right: "k", how: "semi" as "inner" });
  assert.equal(await runInOrder(joining, { steps: [take("left", { k: 1 }, { k: 2 }), take("right", { k: 2 })] }), [
    { k: 2 },
  ]);
});

test("an operator that accepts nothing any more is a deadlock", async () => {
  class Stuck implements Operator<{ in: number }, number> {
    accepts(): boolean {
      return false;
    }
    execute(): void {}
  }
  const { counterExample } = await checkConfluence(() => new Stuck(), { in: [1, 2, 3] });
  assert.is(counterExample?.variation, "failure");
  assert.is(counterExample?.objects, 1);
  const error = counterExample?.outcomes[0]?.error;
  assert.is(error instanceof QStreamError ? error.code : error, "DEADLOCK");
});

test("each channel has its own steps, and the clock outside is as it was afterwards", async () => {
  const folding = foldByKey<number, number, number>({ key: (n) => n, init: () => 0, fold: (sum, n) => sum + n });
  const steps: OrderStep[] = [take("in", 1, 1), { ...take("in", 1), channel: 1 } as OrderStep];
  const before = Date;
  assert.equal(await runInOrder(folding, { channels: 2, steps }), [
    { key: 1, value: 2 },
    { key: 1, value: 1 },
  ]);
  assert.is(Date, before);
  assert.ok(Math.abs(Date.now() - new Date().getTime()) < 1000);
});

test("checkFlow finds the operators of a flow, and operatorOf gives one of them", async () => {
  const checked = await checkFlow(flow, {}, { seeds: 8, objectsMax: 5 });
  assert.equal(
    checked.map(({ step, objects, report }) => [step, objects, report?.counterExample]),
    [
      ["shelves", 8, undefined],
      ["sums", 5, undefined],
      ["few (partial)", 5, undefined],
      ["few", 2, undefined],
    ],
  );
  const [far] = await checkFlow(elsewhere, {}, { seeds: 4 });
  assert.equal([far?.objects, far?.report?.seeds, far?.report?.counterExample], [9, 4, undefined]);
  // Its partition function makes other objects of those that it takes.
  const [blocks] = await checkFlow(gramian, { rows: 600, columns: 6 }, { seeds: 20 });
  assert.equal([blocks?.objects, blocks?.report?.counterExample?.text], [3, undefined]);
  const operator = await operatorOf(flow, {}, "sums");
  assert.equal(
    await runInOrder(operator, { steps: [take("in", { shelf: "a1", price: 2 }, { shelf: "a1", price: 3 })] }),
    [{ key: "a1", value: 5 }],
  );
  for (const [call, what] of [
    [() => operatorOf(flow, {}, "sum"), /Did you mean "sums"/u],
    [() => checkFlow(flow, {}, { step: "x" }), /no operator "x". It has: shelves, sums/u],
    [() => checkFlow(flow, {}, { objectsMax: 0 }), /objectsMax: 0/u],
    [() => checkFlow(flow, {}, { steps: "x" } as never), /Did you mean "step"/u],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const message = await (call() as Promise<unknown>).then(
      () => "nothing was thrown",
      (error: Error) => error.message,
    );
    assert.match(message, what);
  }
});

test("objects are printed as the source that makes them", () => {
  const values = [
    { a: 1, "b-c": [true, null, undefined], d: { e: -0 } },
    new Date(5),
    new Map([["k", new Set([1n])]]),
    new Uint8Array([1, 2]),
    'a"b\n',
    [Number.NaN, -Infinity],
  ];
  for (const value of values) {
    // oxlint-disable-next-line no-new-func, no-implied-eval -- what is printed is source text
    assert.equal(new Function(`return ${sourceText(value)};`)(), value);
  }
  assert.is(sourceText(new (class Own {})()), "undefined /* Own {} */");
});

test.run();
