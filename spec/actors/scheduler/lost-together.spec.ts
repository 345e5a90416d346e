import * as assert from "uvu/assert";
import type { Plan } from "../../../lib/core/plan.ts";
import { lostTogether } from "../../../actors/scheduler/lost-together.ts";
import { lineOf } from "../../kit/plans.ts";
import { loopAt } from "../../kit/loop-plans.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("what is lost together");
// Channels 0 and 1 read, 2 and 3 are of the loop, 4 and 5 behind it, 6 is the sink.
const looped: Plan = loopAt(lineOf([2, 2, 2, 1]), 1);

test("without a loop, what is lost is what was lost", () => {
  assert.equal(lostTogether(lineOf([2, 2, 2, 1]), [2]), [2]);
});

test("with a channel of a loop, all of the loop is lost", () => {
  assert.equal(lostTogether(looped, [3]), [2, 3]);
});

test("with a step behind a loop, the loop is lost, and all between the two", () => {
  assert.equal(lostTogether(looped, [5]), [2, 3, 5]);
  assert.equal(lostTogether(looped, [6]), [2, 3, 4, 5, 6]);
});

test("what comes before a loop is lost by itself", () => {
  assert.equal(lostTogether(looped, [1]), [1]);
});

test("a loop before a loop is lost with it", () => {
  assert.equal(lostTogether(loopAt(loopAt(lineOf([1, 2, 2, 2, 1]), 1), 3), [5]), [1, 2, 3, 4, 5, 6]);
});

test("with nothing lost, nothing is", () => {
  assert.equal(lostTogether(looped, []), []);
});

test.run();
