// What can't be a loop is refused with advice, when the flow is built or when it shows.
import * as assert from "uvu/assert";
import {
  defineFlow,
  feedback,
  hash,
  numbers,
  reader,
  type Flow,
  type Input,
  type IterateOptions,
  type QStream,
} from "../../../lib/index.ts";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("loops that are refused");
const here = { isolation: "none", slots: 1, store: "none" } as const;

// Given without a compiler, as some programs are.
type Given = { readonly operator?: unknown; readonly inputs?: unknown; readonly options?: object };

const going = (): unknown => ({ execute() {}, round() {} });
const options: Pick<IterateOptions<never, unknown, unknown, unknown>, "feedback"> = {
  feedback: hash((n) => n as number),
};

function loopOf({ operator = going, inputs, options: own }: Given): Flow<object, { readonly all: unknown[] }> {
  return defineFlow(import.meta.url, (q) => {
    const all = q.read("numbers", numbers(0, 3));
    const loop = q.iterate(
      "loop",
      (inputs ?? { start: all }) as never,
      operator as never,
      { ...options, ...own } as never,
    );
    return inputs === undefined ? { all: loop.collect() } : { all: loop.collect(), others: all.collect() };
  }) as never;
}

const endless = reader({ kind: "endless", endless: true, splits: () => [0], read: () => [1] });

const wrong: readonly (readonly [what: string, code: ErrorCode, says: string, given: Given])[] = [
  ["no rounds", "OPTION_INVALID", "asks for 0 rounds", { options: { rounds: 0 } }],
  ["half a round", "OPTION_INVALID", "asks for 1.5 rounds", { options: { rounds: 1.5 } }],
  ["a number of rounds as text", "OPTION_INVALID", "asks for '3' rounds", { options: { rounds: "3" } }],
  ["a limit as text", "OPTION_INVALID", "has roundsMax: '3'", { options: { roundsMax: "3" } }],
  [
    "a key in place of a way back",
    "OPTION_INVALID",
    'has feedback: \'n\' (step "loop"). Give a partition function, such as hash("to")',
    { options: { feedback: "n" } },
  ],
  ["null in place of a way back", "OPTION_INVALID", "has feedback: null", { options: { feedback: null } }],
  [
    "a key in place of a partition function",
    "OPTION_INVALID",
    "partition() got 'n'",
    { options: { feedback: (fed: { partition: (by: string) => unknown }) => fed.partition("n") } },
  ],
  ["an unknown option", "OPTION_INVALID", "rounds", { options: { round: 3 } }],
  ["a condition that is none", "OPTION_INVALID", "until that is no function", { options: { until: 3 } }],
  [
    "a condition without rounds",
    "OPTION_INVALID",
    "has until and no rounds",
    { options: { rounds: false, until: () => true } },
  ],
  ["no inputs", "OPTION_INVALID", "has no inputs", { inputs: {} }],
  ["an unknown stage", "INPUT_UNKNOWN", "gives a stage", { options: { stages: { other: 1 } } }],
  ["no operator", "OPTION_INVALID", "got no operator", { operator: 3 }],
  ["an operator without round", "OPTION_INVALID", "has no round", { operator: () => ({ execute() {} }) }],
  ["round without rounds", "OPTION_INVALID", "loop without rounds has round", { options: { rounds: false } }],
  [
    "vote without merge",
    "OPTION_INVALID",
    "vote without merge",
    { operator: () => ({ execute() {}, round() {}, vote: () => 1 }) },
  ],
  ["timers", "OPTION_INVALID", "has onTimer", { operator: () => ({ execute() {}, round() {}, onTimer() {} }) }],
  [
    "feeding back too soon",
    "UNSUPPORTED",
    "execute fed back an object in a loop with rounds",
    { operator: () => ({ execute: () => [feedback(1)], round() {} }) },
  ],
  [
    "feeding back with no way for it",
    "UNSUPPORTED",
    "fed back an object, and the loop has no way for it",
    { operator: () => ({ execute() {}, round: () => [feedback(1)] }), options: { feedback: undefined } },
  ],
  [
    "feeding back with no way for it, and no rounds",
    "UNSUPPORTED",
    "fed back an object, and the loop has no way for it",
    { operator: () => ({ execute: () => [feedback(1)] }), options: { feedback: undefined, rounds: false } },
  ],
  [
    "feeding back at the end",
    "UNSUPPORTED",
    "done fed back an object, and the loop is over",
    { operator: () => ({ ...(going() as object), done: () => [feedback(1)] }) },
  ],
  [
    "feeding back at the end, without rounds",
    "UNSUPPORTED",
    "done fed back an object, and the loop is over",
    { operator: () => ({ execute() {}, done: () => [feedback(1)] }), options: { rounds: false } },
  ],
  [
    "a promise in place of a vote",
    "CANNOT_TRAVEL",
    "promise",
    { operator: () => ({ execute() {}, round() {}, vote: async () => 1, merge: () => 1 }) },
  ],
  [
    "a condition that takes time",
    "STEP_FAILED",
    "until of a loop answered with a promise",
    { options: { until: async () => true } },
  ],
  [
    "stopping alone",
    "UNSUPPORTED",
    "ctx.stop() was called in a loop",
    { operator: () => ({ execute: (_: unknown, ctx: { stop: () => void }) => ctx.stop(), round() {} }) },
  ],
  [
    "more rounds than there may be",
    "LIMIT_EXCEEDED",
    "isn't over after 5 rounds",
    { operator: () => ({ execute() {}, round: () => [feedback(1)] }), options: { roundsMax: 5 } },
  ],
];

for (const [what, code, says, given] of wrong) {
  test(`${what} is refused`, async () => {
    const flow = loopOf(given);
    const error = await failure(() => flow.run({}, here), code);
    assert.ok(error.message.includes(says), error.message);
  });
}

for (const [what, slots, store] of [
  ["in one slot", 1, "none"],
  ["of several slots, with a log", 2, "memory"],
] as const) {
  test(`a condition that one channel ${what} answers otherwise than the others is refused`, async () => {
    let asked = 0;
    const until = ({ round }: { readonly round: number }): boolean => round === 2 && asked++ === 1;
    const operator = () => ({ execute() {}, round: () => [feedback(1)], snapshot: () => null, restore() {} });
    const flow = loopOf({ operator, options: { until, channels: 3 } });
    const error = await failure(() => flow.run({}, { ...here, slots, store }), "NONDETERMINISTIC", { step: "loop" });
    assert.match(error.message, /until answered true in channel \d at the end of round 2, and false in this one/u);
  });
}

test("an input of the name that what is fed back has is refused", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    all: q
      .iterate("loop", { feedback: q.read("numbers", numbers(0, 3)) } as never, going as never, options as never)
      .collect(),
  }));
  await failure(() => flow.run({}, here), "INPUT_UNKNOWN");
});

test("feeding back in a step that is no loop is refused", async () => {
  const operator = {
    *execute(): Generator<unknown, void> {
      yield feedback(1);
    },
  };
  const flow = defineFlow(import.meta.url, (q) => ({
    all: q.apply("other", { in: q.read("numbers", numbers(0, 3)) }, () => operator).collect(),
  }));
  const error = await failure(() => flow.run({}, here), "UNSUPPORTED");
  assert.match(error.message, "an operator fed back an object that is in no loop");
});

const marking = (n: number): unknown => (n === 99 ? feedback(n) : n);
const functions: readonly (readonly [what: string, apply: (all: QStream<number>) => Input<unknown>])[] = [
  ["map", (all) => all.map("mark", marking)],
  ["flatMap", (all) => all.flatMap("mark", (n) => [marking(n)])],
  ["mapParcels", (all) => all.mapParcels("mark", (parcel) => parcel.map(marking))],
  ["map before a partition function", (all) => all.map("mark", marking).partition(hash((n) => n as number))],
  ["map behind a partition function", (all) => all.partition(hash((n) => n)).map("mark", marking)],
];

for (const [what, apply] of functions) {
  test(`feeding back in a function on an edge is refused: ${what}`, async () => {
    const taking = { execute() {} };
    const flow = defineFlow(import.meta.url, (q) => ({
      all: q.apply("taken", { in: apply(q.read("numbers", numbers(0, 100))) }, () => taking).collect(),
    }));
    const error = await failure(() => flow.run({}, here), "UNSUPPORTED");
    assert.match(error.message, /feedback\(\) was called in (map|flatMap|mapParcels) "mark"/u);
    assert.match(error.message, /only the operator of a loop feeds back/iu);
  });
}

test("an endless stream before a loop with rounds is refused", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    all: q.iterate("loop", { start: q.read("endless", endless) } as never, going as never, options as never).collect(),
  }));
  const error = await failure(() => flow.run({}, here), "OPTION_INVALID");
  assert.match(error.message, 'round 0 of the loop "loop" would never end');
});

test("a step between what is fed back and its loop is refused", async () => {
  const flow = defineFlow(import.meta.url, (q) => ({
    all: q
      .iterate(
        "loop",
        { start: q.read("numbers", numbers(0, 3)) } as never,
        going as never,
        {
          feedback: (fed: { distinct: (id: string) => unknown }) => fed.distinct("others"),
        } as never,
      )
      .collect(),
  }));
  const error = await failure(() => flow.run({}, here), "OPTION_INVALID");
  assert.match(error.message, "leads through another step");
});

test.run();
