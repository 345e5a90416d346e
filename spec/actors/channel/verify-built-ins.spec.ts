// Every built-in operator, in every representation that it takes, passes when all tasks are run twice.

import type { Representation } from "../../../lib/core/contracts/operator.ts";
import { defineFlow } from "../../../lib/index.ts";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { halfCases, operatorCases, type OperatorCase } from "../../docs/operator-cases.ts";
import { otherRows, representations, rows, streamOf } from "../../docs/rows.ts";

const test = suite("verify replay of built-in operators");
const cases: Readonly<Record<string, OperatorCase>> = { ...operatorCases, ...halfCases };
const two = ["union", "zip", "cogroup", "Join"];

const tried = defineFlow(
  import.meta.url,
  { operator: "string", representation: "string" },
  (q, { operator, representation }) => {
    const as = representation as Representation;
    const left = streamOf(q, "left", rows, as);
    const right = two.some((word) => operator.includes(word)) ? streamOf(q, "right", otherRows, as) : left;
    const out = cases[operator]?.use(left, right);
    assert.ok(out !== undefined, `there is no case ${operator}`);
    return { out: out.collect({ as: "objects" }) };
  },
);

for (const [operator, { check, definition }] of Object.entries(cases)) {
  for (const representation of representations.filter((each) => definition.representations.includes(each))) {
    test(`${operator} of ${representation} does the same twice`, async () => {
      const options = {
        slots: 2,
        isolation: "none",
        verifyReplay: { share: 1 },
        limits: { parcelObjects: 2 },
      } as const;
      const execution = await tried.start({ operator, representation }, options);
      check((await execution.outputs).out);
      const { metrics } = execution.metrics?.steps.find(({ step }) => step === "x") ?? {};
      assert.ok((metrics?.tasksVerified ?? 0) > 0);
      assert.is(metrics?.tasksVerified, metrics?.tasks);
    });
  }
}

test.run();
