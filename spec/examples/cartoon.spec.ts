import * as assert from "uvu/assert";
import cartoon, { acorns, leaves } from "../../examples/cartoon.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example cartoon");
const kg = acorns.reduce((sum, acorn) => sum + acorn.kg, 0);
const total = leaves.reduce((sum, leaf) => sum + leaf.size * kg, 0);

onEveryTopology(test, "makes each leaf a strawberry that had all acorns, and salads of them", async (session) => {
  const { berries, salads } = await cartoon.run({}, { on: session });
  const named = (tree: string, sweetness: number): string => `${tree} ${sweetness}`;
  assert.equal(
    berries.map(({ tree, sweetness }) => named(tree, sweetness)).toSorted(),
    leaves.map(({ tree, size }) => named(tree, size * kg)).toSorted(),
  );
  assert.is(
    salads.reduce((sum, salad) => sum + salad.berries, 0),
    leaves.length,
  );
  assert.is(
    salads.reduce((sum, salad) => sum + salad.sweetness, 0),
    total,
  );
  // Each of two grey quokkas serves at most one salad that isn't full.
  assert.ok(salads.filter((salad) => salad.berries !== 4).length <= 2);
});

onThisMachine(test, "keeps the channels and stages that its picture shows", () => {
  const plan = cartoon.explain({}, { slots: 2 });
  assert.match(plan, /leaves: reader items\n {2}2 channels/);
  assert.match(plan, /brown-quokka: operator BrownQuokka, confluent\n {2}3 channels/);
  assert.match(plan, /leaves <- leaves: hash.*stage 0/);
  assert.match(plan, /acorns <- acorns: broadcast, stage -1/);
  assert.match(plan, /berries <- brown-quokka: round-robin/);
});

onThisMachine(test, "prints how many salads there were", async () => {
  assert.match(
    await printedBy("cartoon"),
    new RegExp(`30 leaves and 3 acorns became [89] salads of sweetness ${total}`),
  );
});

test.run();
