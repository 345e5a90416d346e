import * as assert from "uvu/assert";
import lesson0 from "../../../examples/lessons/lesson0.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../running.ts";

const test = suite("example lesson 0");

onEveryTopology(test, "sums the numbers from 0 to 79", async (session) => {
  assert.equal(await lesson0.run({}, { on: session }), { sum: [3160] });
});

onThisMachine(test, "prints the plan and the sum", async () => {
  const text = await printedBy("lessons/lesson0");
  assert.match(text, /numbers: reader strided-numbers\n {2}4 channels/);
  assert.match(text, /\[ 3160 \]/);
});

test.run();
