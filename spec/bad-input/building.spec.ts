import * as assert from "uvu/assert";
import {
  broadcast,
  defineFlow,
  items,
  numbers,
  passThrough,
  range,
  type FlowBuilder,
  type Operator,
  type QStream,
  type Sink,
  type Task,
} from "../../lib/index.ts";
import type { ErrorCode, Place } from "../../lib/core/errors.ts";
import { topology } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("mistakes that are found when a flow is built");

type In = { in: number };
const same = (): Operator<In, number> => ({ execute: ({ objects }: Task<In>) => objects });
const counting = (q: FlowBuilder): QStream<number> => q.read("numbers", numbers(0, 10));

/** What JavaScript can write, and the compiler refuses. */
const untyped = (value: unknown): never => value as never;

interface Mistake {
  readonly name: string;
  readonly code: ErrorCode;
  readonly place?: Place;
  readonly advice: RegExp;
  readonly build: (q: FlowBuilder) => Sink<unknown>;
}

const threads = topology("two threads", { slots: 2 });
test.after(() => threads.close());

let calls = 0;

const mistakes: readonly Mistake[] = [
  {
    name: "two steps with one id",
    code: "DUPLICATE_STEP",
    place: { step: "numbers" },
    advice: /id of its own/,
    build: (q) => {
      counting(q)
        .map("other", (n) => n)
        .collect();
      return counting(q).collect();
    },
  },
  {
    name: "two functions with one id",
    code: "DUPLICATE_STEP",
    place: { step: "twice" },
    advice: /id of its own/,
    build: (q) =>
      counting(q)
        .map("twice", (n) => n)
        .map("twice", (n) => n)
        .collect(),
  },
  {
    name: "an empty id",
    code: "OPTION_INVALID",
    advice: /non-empty/,
    build: (q) => q.read("", numbers(0, 1)).collect(),
  },
  {
    name: "a stage of an input that the operator doesn't have",
    code: "INPUT_UNKNOWN",
    place: { step: "apply" },
    advice: /Its inputs are: in/,
    build: (q) => q.apply("apply", { in: counting(q) }, same, { stages: untyped({ other: -1 }) }).collect(),
  },
  {
    name: "an input that is no stream",
    code: "INPUT_UNKNOWN",
    place: { step: "apply", input: "in" },
    advice: /Give a QStream/,
    build: (q) => q.apply("apply", { in: untyped(5) }, same).collect(),
  },
  {
    name: "an operator that is no factory",
    code: "OPTION_INVALID",
    place: { step: "apply" },
    advice: /Give a factory/,
    build: (q) =>
      counting(q)
        .apply("apply", untyped({ execute: () => {} }))
        .collect(),
  },
  {
    name: "something that is no reader",
    code: "OPTION_INVALID",
    place: { step: "read" },
    advice: /A reader has splits and read/,
    build: (q) => q.read("read", untyped([1, 2, 3])).collect(),
  },
  {
    name: "no channels",
    code: "OPTION_INVALID",
    place: { step: "numbers" },
    advice: /from 1 to/,
    build: (q) => q.read("numbers", numbers(0, 10), { channels: 0 }).collect(),
  },
  {
    name: "bounds that don't ascend",
    code: "OPTION_INVALID",
    advice: /ascending order/,
    build: (q) =>
      counting(q)
        .partition(range((n: number) => n, [5, 3]))
        .apply("apply", same)
        .collect(),
  },
  {
    name: "passThrough between counts of which none is a multiple",
    code: "CHANNEL_OUT_OF_RANGE",
    place: { step: "apply", input: "in" },
    advice: /from 2 channels to 5/,
    build: (q) =>
      q
        .read("numbers", numbers(0, 10), { channels: 2 })
        .partition(passThrough())
        .apply("apply", same, { channels: 5 })
        .collect(),
  },
  {
    name: "side outputs of a reader that has none",
    code: "INPUT_UNKNOWN",
    place: { step: "numbers" },
    advice: /badRows: "side"/,
    build: (q) => (counting(q) as unknown as { sides: { bad: QStream<number> } }).sides.bad.collect(),
  },
  {
    name: "an output that is no sink",
    code: "OPTION_INVALID",
    advice: /Return sinks/,
    build: (q) => untyped(counting(q)),
  },
  {
    name: "a builder that reads the clock",
    code: "BUILDER_IMPURE",
    advice: /pass what varies as arguments/,
    build: (q) => q.read("numbers", numbers(0, Date.now())).collect(),
  },
  {
    name: "a builder that draws random numbers",
    code: "BUILDER_IMPURE",
    advice: /pass what varies as arguments/,
    build: (q) => q.read("numbers", numbers(0, Math.random())).collect(),
  },
  {
    name: "a builder that counts its calls",
    code: "BUILDER_IMPURE",
    advice: /pass what varies as arguments/,
    build: (q) => q.read("numbers", numbers(0, calls++)).collect(),
  },
];

const flow = defineFlow(import.meta.url, (q, { at }: { at: number }) => ({
  out: mistakes[at]?.build(q) ?? counting(q).partition(broadcast()).apply("apply", same).collect(),
}));

for (const [at, { name, code, place = {}, advice }] of mistakes.entries()) {
  test(`${name}: ${code}, before anything has started`, async () => {
    const begin = process.hrtime.bigint();
    const error = await failure(() => flow.run({ at }), code, place);
    assert.ok(Number(process.hrtime.bigint() - begin) / 1e6 < 1000, "a second is too long for a flow that isn't run");
    assert.match(error.message, advice);
  });
}

const none = defineFlow(import.meta.url, () => ({}));
const waiting = defineFlow(
  import.meta.url,
  untyped(async (q: FlowBuilder) => ({ out: counting(q).collect() })),
);
const given = defineFlow(import.meta.url, (q, { value }: { value: unknown }) => ({
  out: q
    .read("items", items([1]))
    .map("value", () => typeof value)
    .collect(),
}));

test("a flow without sinks is refused", async () => {
  await failure(() => none.run({}), "EMPTY_FLOW");
});

test("an asynchronous builder is refused", async () => {
  await failure(() => waiting.run({}), "BUILDER_IMPURE");
});

test("an argument that can't travel is refused, and where it is is said", async () => {
  for (const value of [() => 1, Symbol("s"), Promise.resolve(1), new (class Own {})(), process.stdin]) {
    const error = await failure(
      async () => given.run({ value }, { on: await threads.session() }),
      "ARGUMENT_CANNOT_TRAVEL",
    );
    assert.match(error.message, /\.value/);
  }
}, 40_000);

test("options that can't be are refused", async () => {
  for (const slots of [0, -1, 1.5, Number.NaN, 100_000]) {
    await failure(() => given.run({ value: 1 }, { slots }), "OPTION_INVALID");
  }
});

test.run();
