import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { QStreamError } from "../../../lib/core/errors.ts";
import { mergeFunction } from "../../../operators/join/merge-objects.ts";
import { planJoin } from "../../../operators/join/options.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("merge of joined objects");
const plan = planJoin("join", { left: "k", right: "k" });

test("merges objects of any and of changing shapes as a plain merge does", () => {
  const name = fc.constantFrom("k", "a", "b", "c", "__proto__", 'say "x"');
  const object = fc
    .uniqueArray(name, { maxLength: 5 })
    .map((names) => Object.fromEntries(names.map((key, index) => [key, index])));
  const merge = mergeFunction(plan, ["k"]);
  fc.assert(
    fc.property(object, object, (left, right) => {
      const expected = Object.entries(left);
      for (const [key, value] of Object.entries(right)) {
        if (!Object.hasOwn(left, key)) expected.push([key, value]);
        else if (key !== "k") expected.push([`${key}_2`, value]);
      }
      assert.equal(Object.entries(merge(left, right)), expected);
    }),
    { numRuns: 500 },
  );
});

test("refuses a suffixed name that is taken too", () => {
  assert.throws(
    () => mergeFunction(plan, ["k"])({ a: 1, a_2: 2 }, { a: 3 }),
    (error: unknown) => error instanceof QStreamError && error.code === "OPTION_INVALID",
  );
});

test.run();
