import * as assert from "uvu/assert";
import lesson1 from "../../../examples/lessons/lesson1.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../running.ts";
import { joinByLoop } from "./orders.ts";

const test = suite("example lesson 1");

onEveryTopology(test, "counts as many pairs as a nested loop", async (session) => {
  assert.equal(await lesson1.run({}, { on: session }), { pairs: [joinByLoop().length] });
});

onThisMachine(test, "prints the count", async () => {
  assert.match(await printedBy("lessons/lesson1"), `[ ${joinByLoop().length} ]`);
});

test.run();
