import * as assert from "uvu/assert";
import { beginning, type KnownCheckpoint } from "../../../actors/lineage/retention.ts";
import { Lives } from "../../../actors/scheduler/lives.ts";
import { planRecovery, type RecoveryInput, type RecoveryPlan } from "../../../actors/scheduler/plan-recovery.ts";
import { lineOf, planOf } from "../../kit/plans.ts";
import { loopAt } from "../../kit/loop-plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("planning a recovery");
const line = lineOf([1, 1, 1]);

const position = (edge: number, seq: number, other = 0): { edge: number; other: number; seq: number } => ({
  edge,
  other,
  seq,
});

function input(given: Partial<RecoveryInput>): RecoveryInput {
  const plan = given.plan ?? line;
  return {
    plan,
    lives: new Lives(plan, (step) => `slot-${step}`),
    lost: new Map(),
    received: new Map(),
    held: new Map(),
    checkpointsOf: () => [beginning],
    ...given,
  };
}

function lost(number: number, lastSeq: number, checkpoints: readonly KnownCheckpoint[] = [beginning]) {
  return [number, { number, generation: 1, lastSeq, slot: "slot-new", checkpoints }] as const;
}

const orders = (plan: RecoveryPlan): unknown[] =>
  [...plan.channels].flatMap(([slot, channels]) =>
    channels.map(
      ({ step, recovery }) =>
        `${slot}: step ${step} from ${recovery?.checkpoint}${recovery?.outputsOnly === true ? " again" : ""}`,
    ),
  );
const links = (plan: RecoveryPlan): unknown[] =>
  [...plan.links].flatMap(([slot, all]) =>
    all.map(
      ({ edge, replay }) => `${slot}: edge ${edge}${replay === undefined ? "" : ` again through ${replay.through}`}`,
    ),
  );

test("a lost operator starts from its newest checkpoint, if its producer holds all that comes after", () => {
  const checkpoint = { seq: 7, consumed: [position(0, 5)], made: [position(1, 6)] };
  const plan = planRecovery(
    input({
      lost: new Map([lost(1, 9, [beginning, checkpoint])]),
      received: new Map([["1:0:0", 6]]),
      held: new Map([["0:0:0", 5]]),
    }),
  );
  assert.equal(orders(plan), ["slot-new: step 1 from 7"]);
  assert.equal(links(plan), ["slot-2: edge 1", "slot-new: edge 0"]);
});

test("what its producer has sent and forgotten is made again, by a life that starts before it", () => {
  const made = (seq: number): KnownCheckpoint => ({ seq, consumed: [], made: [position(0, seq)] });
  const plan = planRecovery(
    input({
      lost: new Map([lost(1, 9, [beginning, { seq: 7, consumed: [position(0, 5)], made: [] }])]),
      received: new Map([["1:0:0", -1]]),
      held: new Map([["0:0:0", 8]]),
      checkpointsOf: () => [beginning, made(3), made(6)],
    }),
  );
  assert.equal(orders(plan), ["slot-new: step 1 from 7", "slot-0: step 0 from 3 again"]);
  assert.equal(links(plan), ["slot-2: edge 1", "slot-new: edge 0 again through 8"]);
  assert.is(plan.replays.length, 1);
});

test("an older checkpoint is taken where a consumer lacks what came after the newer one", () => {
  const checkpoint = (seq: number): KnownCheckpoint => ({ seq, consumed: [], made: [position(1, seq)] });
  const plan = planRecovery(
    input({
      lost: new Map([lost(1, 9, [beginning, checkpoint(4), checkpoint(8)])]),
      received: new Map([["1:0:0", 5]]),
      held: new Map([["0:0:0", -1]]),
    }),
  );
  assert.equal(orders(plan), ["slot-new: step 1 from 4"]);
});

test("producer and consumer lost together: the producer starts where the consumer's checkpoint needs it to", () => {
  const reader = (seq: number): KnownCheckpoint => ({ seq, consumed: [], made: [position(0, seq)] });
  const plan = planRecovery(
    input({
      lost: new Map([
        lost(0, 20, [beginning, reader(10), reader(18)]),
        lost(1, 15, [beginning, { seq: 9, consumed: [position(0, 12)], made: [] }]),
      ]),
      received: new Map([["1:0:0", -1]]),
    }),
  );
  assert.equal(orders(plan), ["slot-new: step 1 from 9", "slot-new: step 0 from 10"]);
  assert.equal(links(plan), ["slot-2: edge 1", "slot-new: edge 0"]);
});

test("a chain that lost nothing is made again up to its reader", () => {
  const plan = planRecovery(
    input({
      plan: lineOf([1, 1, 1, 1]),
      lost: new Map([lost(3, 4)]),
      held: new Map([["2:0:0", 9]]),
    }),
  );
  assert.equal(orders(plan), [
    "slot-new: step 3 from -1",
    "slot-2: step 2 from -1 again",
    "slot-1: step 1 from -1 again",
    "slot-0: step 0 from -1 again",
  ]);
  assert.equal(links(plan), [
    "slot-new: edge 2 again through 9",
    "slot-2: edge 1 again through Infinity",
    "slot-1: edge 0 again through Infinity",
  ]);
});

test("one life makes outputs again for several consumers, but two for the same link need two", () => {
  // A reader, two operators on it, and a sink that joins them.
  const diamond = planOf(
    [
      { id: "reader", channels: 1 },
      { id: "left", channels: 1 },
      { id: "right", channels: 1 },
      { id: "sink", channels: 1 },
    ],
    [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
      { from: 1, to: 3 },
      { from: 2, to: 3 },
    ],
  );
  const plan = planRecovery(
    input({
      plan: diamond,
      lost: new Map([lost(3, 4), lost(2, 4)]),
      held: new Map([
        ["2:0:0", 3],
        ["1:0:0", 3],
      ]),
    }),
  );
  // The sink lacks what left sent, so left's outputs and its inputs are made again; right goes on from its own log.
  assert.equal(plan.replays.filter(({ number }) => number === 0).length, 1);
  assert.equal(plan.replays.filter(({ number }) => number === 1).length, 1);
  assert.equal(
    plan.recovered.map(({ number }) => number).toSorted((a, b) => a - b),
    [2, 3],
  );
});

test("where no checkpoint reaches back far enough, it is said which step", () => {
  const late = { seq: 8, consumed: [], made: [position(1, 8)] };
  assert.throws(
    () => planRecovery(input({ lost: new Map([lost(1, 9, [late])]), received: new Map([["1:0:0", 5]]) })),
    /can't be made again.*step-1/u,
  );
});

const looped = loopAt(lineOf([1, 2, 1]), 1);
// Channels 1 and 2 are of the loop, whose feedback edge is the third one.
const fed = (seq: number, consumed: number, made: number): KnownCheckpoint => ({
  seq,
  consumed: [position(0, 3), position(2, consumed, 0), position(2, consumed, 1)],
  made: [position(2, made, 0), position(2, made, 1)],
});

test("channels of a loop start together, from checkpoints that fit together", () => {
  const plan = planRecovery(
    input({
      plan: looped,
      // What each had sent by its newest checkpoint, the other had not taken by its own.
      lost: new Map([
        lost(1, 40, [beginning, fed(10, 8, 8), fed(30, 28, 28)]),
        lost(2, 40, [beginning, fed(12, 8, 8), fed(22, 18, 18)]),
      ]),
      received: new Map([
        ["1:0:0", 9],
        ["1:1:0", 9],
      ]),
      held: new Map([
        ["0:0:0", 3],
        ["0:0:1", 3],
      ]),
    }),
  );
  assert.equal(orders(plan), ["slot-new: step 1 from 10", "slot-new: step 1 from 12"]);
  assert.is(plan.replays.length, 0);
  const own = [...plan.links.values()].flat().filter(({ edge }) => edge === 2);
  assert.is(own.length, 4, "each asks both, once");
});

test("a loop that fits nowhere starts from its beginning, or can't be made again", () => {
  const given = (first: readonly KnownCheckpoint[]): RecoveryInput =>
    input({
      plan: looped,
      lost: new Map([lost(1, 40, first), lost(2, 40, [beginning, fed(12, 5, 9)])]),
      held: new Map([
        ["0:0:0", 9],
        ["0:0:1", 9],
      ]),
    });
  const plan = planRecovery(given([beginning, fed(10, 5, 9)]));
  assert.equal(orders(plan).slice(0, 2), ["slot-new: step 1 from -1", "slot-new: step 1 from -1"]);
  assert.throws(() => planRecovery(given([fed(10, 5, 9)])), /can't be made again/u);
});

test.run();
