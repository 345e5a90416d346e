import * as fc from "fast-check";
import * as assert from "uvu/assert";
import type { QStreamError } from "../../lib/core/errors.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { zip } from "../../operators/zip.ts";
import { suite } from "../kit/suite.ts";
import { drive, type DrivenTask, driveFully } from "./drive.ts";

const test = suite("zip");

/** Tasks of both sides in an order that `picks` decides, as far as `accepts` allows. */
function interleaved(left: readonly number[], right: readonly number[], picks: readonly boolean[]): DrivenTask[] {
  const tasks: DrivenTask[] = [];
  let [l, r] = [0, 0];
  for (const pick of [...picks, ...left.map(() => true), ...right.map(() => false)]) {
    const takeLeft = (pick || r >= right.length || r > l) && l < left.length && l <= r;
    const takeRight = !takeLeft && r < right.length && r <= l;
    if (takeLeft) tasks.push({ input: "left", objects: [left[l++]] });
    else if (takeRight) tasks.push({ input: "right", objects: [right[r++]] });
  }
  return tasks;
}

test("pairs by place, whatever the order between the sides", async () => {
  const lists = fc.array(fc.nat(), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(
      lists,
      lists,
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.boolean(),
      async (left, right, picks, restoring) => {
        const out = await drive(zip<number, number>(), interleaved(left, right, picks), {
          restoring,
          inputs: ["left", "right"],
        });
        const expected = left.slice(0, right.length).map((value, place) => [value, right[place]]);
        assert.equal(out, expected);
      },
    ),
    { numRuns: 100 },
  );
});

test("holds back the side that is ahead", () => {
  const operator = zip<number, number>().create();
  const ctx = testContext();
  assert.is(operator.accepts?.("left"), true);
  void operator.execute({ input: "left", objects: [1, 2] }, ctx);
  assert.equal([operator.accepts?.("left"), operator.accepts?.("right")], [false, true]);
  void operator.execute({ input: "right", objects: [1, 2, 3] }, ctx);
  assert.equal([operator.accepts?.("left"), operator.accepts?.("right")], [true, false]);
});

test("stops once the shorter side is used up", async () => {
  const { objects, ctx } = await driveFully(zip({ combine: (a: number, b: number) => a + b }), [
    { input: "left", objects: [1, 2] },
    { input: "right", objects: [10, 20] },
  ]);
  assert.equal([objects, ctx.stopped], [[11, 22], true]);
});

test("refuses sides of different lengths where it is strict", async () => {
  const tasks = [
    { input: "left", objects: [1, 2] },
    { input: "right", objects: [10] },
  ];
  for (const inputs of [
    ["left", "right"],
    ["right", "left"],
  ]) {
    try {
      await drive(zip({ strict: true }), tasks, { inputs });
      assert.unreachable();
    } catch (error) {
      assert.is((error as QStreamError).code, "BAD_INPUT");
    }
  }
  assert.equal(
    await drive(
      zip({ strict: true }),
      tasks.map((task) => ({ ...task, objects: [1] })),
    ),
    [[1, 1]],
  );
});

test.run();
