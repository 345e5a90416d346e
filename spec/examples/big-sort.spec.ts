import * as assert from "uvu/assert";
import bigSort, { entryOf, memoryLimit } from "../../examples/big-sort.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example big-sort");
const objects = 40_000;

onEveryTopology(test, "sorts more than its memory holds, and loses nothing", async (session) => {
  const { check } = await bigSort.run({ objects, memoryBytes: memoryLimit / 4 }, { on: session });
  const keySum = Array.from({ length: objects }, (_, number) => BigInt(entryOf(number).key)).reduce((a, b) => a + b);
  assert.equal(check, [{ objects, outOfOrder: 0, keySum }]);
});

onThisMachine(test, "prints what it checked", async () => {
  assert.match(await printedBy("big-sort"), /objects: 300000, outOfOrder: 0/);
});

test.run();
