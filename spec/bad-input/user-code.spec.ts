import * as assert from "uvu/assert";
import {
  custom,
  defineFlow,
  numbers,
  reader,
  type FlowBuilder,
  type Operator,
  type QStream,
  type Sink,
  type Task,
} from "../../lib/index.ts";
import type { ErrorCode } from "../../lib/core/errors.ts";
import { topologies } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";

const test = suite("errors of user code, wherever it is called");
const places = topologies();

type In = { in: number };

function boom(): never {
  throw new Error("boom");
}

const counting = (q: FlowBuilder): QStream<number> => q.read("numbers", numbers(0, 3000));
const applied = (q: FlowBuilder, operator: Operator<In, number>): Sink<unknown> =>
  counting(q)
    .apply("operator", () => operator, { channels: 2 })
    .collect();
const nothing = (): void => {};
const untyped = (value: unknown): never => value as never;

/** Where user code throws, and which step the error has to name. */
const failing: Readonly<Record<string, { step: string; build: (q: FlowBuilder) => Sink<unknown> }>> = {
  map: { step: "numbers", build: (q) => counting(q).map("f", boom).collect() },
  filter: { step: "numbers", build: (q) => counting(q).filter("f", boom).collect() },
  flatMap: { step: "numbers", build: (q) => counting(q).flatMap("f", boom).collect() },
  "generator of flatMap": {
    step: "numbers",
    build: (q) =>
      counting(q)
        .flatMap("f", function* (n) {
          yield n;
          boom();
        })
        .collect(),
  },
  tap: { step: "numbers", build: (q) => counting(q).tap("f", boom).collect() },
  mapParcels: { step: "numbers", build: (q) => counting(q).mapParcels("f", boom).collect() },
  "promise of map": {
    step: "numbers",
    build: (q) =>
      counting(q)
        .map(
          "f",
          untyped(async (n: number) => n),
        )
        .collect(),
  },
  "thrown undefined": {
    step: "numbers",
    build: (q) =>
      counting(q)
        .map("f", () => {
          // oxlint-disable-next-line no-throw-literal, only-throw-error -- what user code may do
          throw undefined;
        })
        .collect(),
  },
  key: {
    step: "numbers",
    build: (q) =>
      counting(q)
        .reduceByKey(
          "reduce",
          boom,
          () => 0,
          (n) => n,
        )
        .collect(),
  },
  initial: {
    step: "reduce",
    build: (q) =>
      counting(q)
        .reduceByKey(
          "reduce",
          (n) => n % 3,
          boom,
          (n) => n,
        )
        .collect(),
  },
  reduce: {
    step: "reduce",
    build: (q) =>
      counting(q)
        .reduceByKey(
          "reduce",
          (n) => n % 3,
          () => 0,
          boom,
        )
        .collect(),
  },
  "partition function": {
    step: "numbers",
    build: (q) =>
      counting(q)
        .partition(custom(boom))
        .apply("operator", () => ({ execute: ({ objects }: Task<In>) => objects }), { channels: 2 })
        .collect(),
  },
  open: { step: "operator", build: (q) => applied(q, { open: boom, execute: nothing }) },
  "open, later": { step: "operator", build: (q) => applied(q, { open: async () => boom(), execute: nothing }) },
  execute: { step: "operator", build: (q) => applied(q, { execute: boom }) },
  "execute, later": { step: "operator", build: (q) => applied(q, { execute: async () => boom() }) },
  "generator of execute": {
    step: "operator",
    build: (q) =>
      applied(q, {
        *execute({ objects }) {
          yield objects[0] ?? 0;
          boom();
        },
      }),
  },
  "async generator of execute": {
    step: "operator",
    build: (q) =>
      applied(q, {
        async *execute({ objects }) {
          yield objects[0] ?? 0;
          boom();
        },
      }),
  },
  "number of execute": { step: "operator", build: (q) => applied(q, { execute: untyped(() => 5) }) },
  "text of execute": { step: "operator", build: (q) => applied(q, { execute: untyped(() => "five") }) },
  inputDone: { step: "operator", build: (q) => applied(q, { execute: nothing, inputDone: boom }) },
  accepts: { step: "operator", build: (q) => applied(q, { execute: nothing, accepts: boom }) },
  done: { step: "operator", build: (q) => applied(q, { execute: nothing, done: boom }) },
  "done, later": { step: "operator", build: (q) => applied(q, { execute: nothing, done: async () => boom() }) },
  close: { step: "operator", build: (q) => applied(q, { execute: nothing, close: boom }) },
  forEach: { step: "out", build: (q) => counting(q).forEach(boom) },
  "forEach, later": { step: "out", build: (q) => counting(q).forEach(async () => boom()) },
  splits: { step: "own", build: (q) => q.read("own", reader({ splits: boom, *read() {} })).collect() },
  "splits, later": {
    step: "own",
    build: (q) => q.read("own", reader({ splits: async () => boom(), *read() {} })).collect(),
  },
  read: {
    step: "own",
    build: (q) =>
      q
        .read(
          "own",
          reader({
            splits: () => [1, 2, 3],
            *read(split) {
              yield split;
              boom();
            },
          }),
        )
        .collect(),
  },
  "read, later": {
    step: "own",
    build: (q) =>
      q
        .read(
          "own",
          reader({
            splits: () => [1],
            async *read(split) {
              yield split;
              boom();
            },
          }),
        )
        .collect(),
  },
};

const flow = defineFlow(import.meta.url, (q, { name }: { name: string }) => ({
  out: failing[name]?.build(q) ?? counting(q).collect(),
}));

test.after(async () => {
  for (const place of places) await place.close();
});

for (const [name, { step }] of Object.entries(failing)) {
  test(`an error of ${name} stops the execution, names the step, and the session goes on`, async () => {
    for (const place of places) {
      const on = await place.session();
      await failure(() => flow.run({ name }, { on }), "STEP_FAILED", { step });
    }
  });
}

test("after all these errors, the sessions still run flows", async () => {
  for (const place of places) {
    const { out } = await flow.run({ name: "none" }, { on: await place.session() });
    assert.is((out as readonly number[]).length, 3000, place.name);
  }
});

const refusedChannels: Readonly<Record<string, unknown>> = {
  "one too high": 2,
  "one below zero": -1,
  "a fraction": 0.5,
  "not a number": Number.NaN,
  nothing: undefined,
  "a text": "1",
  "a list with one too high": [0, 2],
};
const misrouted = defineFlow(import.meta.url, (q, { name }: { name: string }) => ({
  out: counting(q)
    .partition(custom(() => untyped(refusedChannels[name])))
    .apply("operator", () => ({ execute: ({ objects }: Task<In>) => objects }), { channels: 2 })
    .collect(),
}));

for (const name of Object.keys(refusedChannels)) {
  test(`a partition function that returns ${name} is refused`, async () => {
    const code: ErrorCode = "CHANNEL_OUT_OF_RANGE";
    for (const place of places) {
      const error = await failure(async () => misrouted.run({ name }, { on: await place.session() }), code);
      assert.match(error.message, /Return a whole number/);
    }
  });
}

test.run();
