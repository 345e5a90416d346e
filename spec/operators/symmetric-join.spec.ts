import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { symmetricJoin } from "../../operators/symmetric-join.ts";
import { suite } from "../kit/suite.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { canonical, joined, joinKinds, nestedLoop, type Row, sides, tasksOf } from "./join-oracle.ts";

const test = suite("symmetric join");

for (const representation of [undefined, "arrow", "polars"] as const) {
  for (const keys of [["id"], ["id", "day"]]) {
    test(`gives what a nested loop gives: ${representation ?? "objects"} by ${keys.join(" and ")}, in any order`, async () => {
      await fc.assert(
        fc.asyncProperty(
          sides(),
          fc.integer({ min: 1, max: 5 }),
          fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
          fc.boolean(),
          async ({ left, right }, size, order, restoring) => {
            const leftTasks = await tasksOf("left", left, size, representation);
            const rightTasks = await tasksOf("right", right, size + 1, representation);
            const tasks = order.flatMap((takeLeft) => {
              const next = takeLeft ? leftTasks.shift() : rightTasks.shift();
              return next === undefined ? [] : [next];
            });
            tasks.push(...leftTasks, ...rightTasks);
            for (const how of joinKinds) {
              const definition = symmetricJoin<Row, Row>({ left: keys, right: keys, how: how as "inner" });
              const rows = await joined(definition, tasks, restoring);
              assert.equal(canonical(rows), canonical(nestedLoop(left, right, keys, how)), how);
            }
          },
        ),
        { numRuns: representation === undefined ? 40 : 5 },
      );
    });
  }
}

test("gives a pair as soon as both objects are there", () => {
  const operator = symmetricJoin<{ k: number; a: number }, { k: number; b: number }>({
    left: "k",
    right: "k",
  }).create();
  const ctx = testContext();
  const none = operator.execute({ input: "left", objects: [{ k: 1, a: 1 }] }, ctx) as Iterable<unknown>;
  assert.equal([...none], []);
  const pair = operator.execute({ input: "right", objects: [{ k: 1, b: 2 }] }, ctx) as Iterable<unknown>;
  assert.equal([...pair], [{ k: 1, a: 1, b: 2 }]);
});

test("gives a left object of a semi join once, at its first match", () => {
  const operator = symmetricJoin<{ k: number }, { k: number }, "semi">({ left: "k", right: "k", how: "semi" }).create();
  const ctx = testContext();
  const take = (input: "left" | "right", k: number) => [
    ...(operator.execute({ input, objects: [{ k }] }, ctx) as Iterable<unknown>),
  ];
  assert.equal(
    [take("left", 1), take("right", 1), take("right", 1), take("left", 1)],
    [[], [{ k: 1 }], [], [{ k: 1 }]],
  );
});

test.run();
