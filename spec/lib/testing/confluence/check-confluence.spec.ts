import { join } from "node:path";
import * as assert from "uvu/assert";
import { hash, limit, type QStreamError } from "../../../../lib/index.ts";
import {
  checkConfluence,
  runInOrder,
  type ConfluenceReport,
  type CounterExample,
} from "../../../../lib/testing/index.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";
import {
  ChannelCount,
  Doubling,
  EagerJoin,
  EngineStamps,
  FirstOnly,
  FloatSum,
  ForeverCount,
  ForgetfulSum,
  LastWriteWins,
  SharedNumbers,
  SlowStamps,
  Stamps,
  TaskSizes,
  type Reading,
} from "./mistakes.ts";
import { runPrinted } from "./run-printed.ts";

const test = suite("checkConfluence");

const readings: readonly Reading[] = Array.from({ length: 24 }, (_, at) => ({ key: "abcde"[at % 5] ?? "", value: at }));
const fractions = Array.from({ length: 20 }, (_, at) => (at + 1) / 10);
const numbers = Array.from({ length: 20 }, (_, at) => at);
const byKey = { partitions: { in: hash<Reading>("key") } };
const mistakes = join(projectFolder, "dist/spec/lib/testing/confluence/mistakes.js");
const codeOf = (name: string, operator = `() => new ${name}()`) => ({
  name,
  code: { imports: `import { ${name} } from ${JSON.stringify(mistakes)};`, operator },
});

function counterExampleOf({ counterExample, seeds }: ConfluenceReport): CounterExample {
  assert.ok(counterExample !== undefined, "it was found");
  assert.ok(seeds <= 100);
  return counterExample as CounterExample;
}

/** Objects of each task of each order. */
const tasksOf = ({ orders }: CounterExample): unknown[][] =>
  orders.map(({ steps }) => steps.flatMap((step) => (step.kind === "take" ? [step.objects] : [step.kind])));

test("last write wins is caught, by two objects of one key in two orders", async () => {
  const report = await checkConfluence(() => new LastWriteWins(), { in: readings }, codeOf("LastWriteWins"));
  const found = counterExampleOf(report);
  assert.is(found.objects, 2);
  const [first, second] = tasksOf(found);
  assert.is(first?.length, 2);
  assert.equal(first?.toReversed(), second);
  const { code, output } = await runPrinted("last-write", found.spec);
  assert.is(code, 1, output);
  assert.match(output, /AssertionError|ERR_ASSERTION/u);
  assert.match(output, "LastWriteWins gives the same in both orders");
});

test("sums of fractions that are compared exactly are caught, and pass where nearly is enough", async () => {
  const found = counterExampleOf(await checkConfluence(() => new FloatSum(), { in: fractions }, codeOf("FloatSum")));
  assert.is(found.objects, 3);
  const near = (left: readonly number[], right: readonly number[]): boolean =>
    left.length === right.length && left.every((value, at) => Math.abs(value - (right[at] ?? 0)) < 1e-9);
  const { counterExample } = await checkConfluence(() => new FloatSum(), { in: fractions }, { equal: near });
  assert.is(counterExample, undefined);
});

test("a limit that is declared confluent is caught, and passes as what it is", async () => {
  const found = counterExampleOf(await checkConfluence(limit<number>(2), { in: numbers }, { declares: "confluent" }));
  assert.is(found.objects, 3);
  assert.match(found.reason, /limit is confluent, and gives something else on 3 objects/u);
  assert.is((await checkConfluence(limit<number>(2), { in: numbers })).counterExample, undefined);
  const equal = (left: readonly number[], right: readonly number[]): boolean => left.length === right.length;
  const tried = await checkConfluence(limit<number>(2), { in: numbers }, { equal });
  assert.is(tried.counterExample, undefined);
  assert.ok((tried.variations.arrival ?? 0) > 0);
});

test("reading the clock is caught by one object: that of the machine, and the engine's", async () => {
  const found = counterExampleOf(await checkConfluence(() => new Stamps(), { in: numbers }, codeOf("Stamps")));
  assert.is(found.objects, 1);
  const [first, second] = found.orders;
  assert.equal(first?.steps, second?.steps);
  assert.is((await runPrinted("stamps", found.spec)).code, 1);
  // What the operator is declared to be makes no difference: replay gives something else.
  const sensitive = await checkConfluence(() => new Stamps(), { in: numbers }, { declares: "order-sensitive" });
  assert.is(counterExampleOf(sensitive).objects, 1);
  const engine = counterExampleOf(await checkConfluence(() => new EngineStamps(), { in: numbers }));
  assert.is(engine.objects, 1);
  const replayed = await checkConfluence(() => new EngineStamps(), { in: numbers }, { declares: "order-sensitive" });
  assert.is(replayed.counterExample, undefined);
});

test("state that channels share is caught, also where each run begins anew", async () => {
  const options = { ...byKey, ...codeOf("SharedNumbers") };
  const found = counterExampleOf(await checkConfluence(() => new SharedNumbers(), { in: readings }, options));
  assert.ok(found.objects <= 2, found.text);
  assert.is((await runPrinted("shared", found.spec)).code, 1);
  const forever = counterExampleOf(await checkConfluence(() => new ForeverCount(), { in: readings }, byKey));
  assert.is(forever.objects, 1);
});

test("changing an input is caught, and the one order that shows it runs as a spec", async () => {
  const found = counterExampleOf(await checkConfluence(() => new Doubling(), { in: readings }, codeOf("Doubling")));
  assert.is(found.objects, 1);
  assert.is(found.variation, "failure");
  assert.is(found.orders.length, 1);
  const { code, output } = await runPrinted("doubling", found.spec);
  assert.is(code, 1);
  assert.match(output, "Cannot assign to read only property");
});

test("a snapshot that lacks a part of the state is caught, whatever is declared", async () => {
  for (const declares of ["confluent", "order-sensitive", "arbitrary-choice"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const found = counterExampleOf(await checkConfluence(() => new ForgetfulSum(), { in: numbers }, { declares }));
    assert.is(found.objects, 1);
    assert.equal(tasksOf(found)[1]?.at(-1), "restart");
  }
});

test("a join that takes what there is so far is caught, by one object of each side", async () => {
  const inputs = { left: ["a", "b", "c", "a"], right: ["b", "a", "d"] };
  const found = counterExampleOf(await checkConfluence(() => new EagerJoin(), inputs));
  assert.is(found.objects, 2);
});

test("an operator that tells how it was batched is caught", async () => {
  const found = counterExampleOf(await checkConfluence(() => new TaskSizes(), { in: numbers }));
  assert.is(found.objects, 2);
  assert.is(found.variation, "batching");
});

test("the same seeds find the same, and the command's seed alone finds it", async () => {
  const find = (from: number, seeds: number): Promise<ConfluenceReport> =>
    checkConfluence(() => new LastWriteWins(), { in: readings }, { from, seeds });
  const [once, again] = [counterExampleOf(await find(1, 100)), counterExampleOf(await find(1, 100))];
  assert.is(once.text, again.text);
  assert.match(once.text, `seeds: 1, from: ${once.seed}`);
  assert.is(counterExampleOf(await find(once.seed, 1)).spec, once.spec);
});

test("checks at once give what each gives alone, and leave the clock as it was", async () => {
  const real = Date;
  const check = (): Promise<ConfluenceReport> => checkConfluence(() => new SlowStamps(), { in: numbers }, { seeds: 5 });
  const alone = counterExampleOf(await check());
  for (const report of await Promise.all([check(), check(), check()])) {
    assert.is(counterExampleOf(report).text, alone.text);
  }
  assert.is(Date, real);
});

test("inputs that keep their order aren't tried in another one, and channels can be fixed", async () => {
  const first = (): FirstOnly => new FirstOnly();
  const found = counterExampleOf(await checkConfluence(first, { in: numbers }));
  assert.is(found.objects, 2);
  const report = await checkConfluence(first, { in: numbers }, { ordered: ["in"] });
  assert.is(report.counterExample?.text, undefined);
  assert.is(report.variations.arrival, undefined);
  const fixed = await checkConfluence(() => new ChannelCount(), { in: readings }, { ...byKey, channels: [3] });
  assert.is(fixed.counterExample?.text, undefined);
  const free = counterExampleOf(await checkConfluence(() => new ChannelCount(), { in: readings }, byKey));
  assert.equal([free.objects, free.orders.length], [1, 2]);
});

test("wrong input is named: operators, inputs, and options of each kind", async () => {
  const operator = (): LastWriteWins => new LastWriteWins();
  const inputs = { in: readings };
  const wrong: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => checkConfluence(undefined as never, inputs), /checkConfluence got no operator/u],
    [() => checkConfluence({ kind: "x" } as never, inputs), /checkConfluence got no operator/u],
    [() => checkConfluence(LastWriteWins as never, inputs), /not the class itself/u],
    [() => checkConfluence((() => ({})) as never, inputs), /something without execute/u],
    [() => checkConfluence(operator, {} as never), /checkConfluence got no inputs/u],
    [() => checkConfluence(operator, [1] as never), /checkConfluence got no inputs/u],
    [() => checkConfluence(operator, { in: "abc" } as never), /input "in" is no array/u],
    [() => checkConfluence(operator, inputs, { seed: 1 } as never), /Did you mean "seeds"/u],
    [() => checkConfluence(operator, inputs, { seeds: 0 }), /seeds: 0 is no whole number from 1/u],
    [() => checkConfluence(operator, inputs, { from: 1.5 }), /from: 1.5/u],
    [() => checkConfluence(operator, inputs, { declares: "any" as never }), /declares: "any"/u],
    [() => checkConfluence(operator, inputs, { ordered: ["left" as never] }), /there is no input "left"/u],
    [() => checkConfluence(operator, inputs, { channels: [2] }), /nothing says how objects reach 2 channels/u],
    [() => checkConfluence(operator, inputs, { channels: [] }), /channels: a list of numbers/u],
    [() => checkConfluence(operator, inputs, { ...byKey, channels: [65] }), /channels: 65 isn't from 1 to 64/u],
    [() => runInOrder(undefined as never, { steps: [] }), /runInOrder got no operator/u],
    [() => runInOrder(operator, { steps: [{ kind: "save", channel: 1 }] }), /channel 1, and there are 1/u],
    [() => runInOrder(operator, { inputs: ["in"], steps: [{ kind: "end", input: "on" }] }), /input "on"/u],
  ];
  for (const [call, what] of wrong) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const error = await call().then(
      () => new Error("nothing was thrown"),
      (thrown: QStreamError) => thrown,
    );
    assert.match(error.message, what);
    assert.is((error as QStreamError).code, "OPTION_INVALID");
  }
});

test.run();
