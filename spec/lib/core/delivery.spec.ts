import fc from "fast-check";
import * as assert from "uvu/assert";
import { takeOnce, type Delivery, type Heard } from "../../../lib/core/contracts/delivery.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("deliveries");

test("each object is taken once, however deliveries are cut and repeated", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 })), cuts, (gaps, sizes) => {
      // Numbers that rise, as those of one key do.
      let number = -1;
      const numbers = gaps.map((gap) => (number += 1 + gap));
      const heard: Heard = {};
      const taken: number[] = [];
      let at = 0;
      for (const size of sizes) {
        // From somewhere before the end of what came, as after a loss.
        const from = Math.max(0, at - (size % 4));
        const part = numbers.slice(from, from + size);
        taken.push(...takeOnce(heard, { from: "run/sent/0", objects: part, numbers: part }));
        at = Math.max(at, from + part.length);
      }
      assert.equal(taken, numbers.slice(0, at));
    }),
  );
});

test("senders are told apart", () => {
  const heard: Heard = {};
  const delivery = (from: string): Delivery<string> => ({ from, objects: ["a", "b"], numbers: [0, 1] });
  assert.equal(takeOnce(heard, delivery("run/sent/0")), ["a", "b"]);
  assert.equal(takeOnce(heard, delivery("run/sent/1")), ["a", "b"]);
  assert.equal(takeOnce(heard, delivery("run/sent/0")), []);
  assert.equal(heard, { "run/sent/0": 1, "run/sent/1": 1 });
});

test.run();
