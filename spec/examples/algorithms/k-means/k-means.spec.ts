import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import kMeans from "../../../../examples/algorithms/k-means/k-means.ts";
import { drawClusters } from "../../../../examples/algorithms/k-means/picture.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../../running.ts";
import { foundBy } from "../broken-flow.ts";
import { check, checkSettled, clustersOf } from "./k-means-checks.ts";

const test = suite("example k-means");
const file = "examples/algorithms/k-means/k-means.js";

onEveryTopology(
  test,
  "points are in the cluster of the nearest mean, in the same one on any number of channels",
  async (on) => {
    for (const seed of [1, 6]) {
      const { penguins } = await kMeans.run({ channels: 1, seed }, { on });
      assert.is(penguins.length, 342, "two of 344 weren't measured");
      checkSettled(penguins);
      for (const channels of [2, 5]) {
        const again = await kMeans.run({ channels, seed }, { on });
        assert.equal(clustersOf(again.penguins), clustersOf(penguins));
      }
    }
  },
);

onThisMachine(test, "points of drawn tables are in the right clusters in any order", () => check(25));

onThisMachine(test, "a slot that is lost in the middle changes nothing", async () => {
  const options = { seeds: 5, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
  const { failure, faults } = await checkSeeds(kMeans, {}, options);
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
  assert.ok((faults.kill ?? 0) > 0);
});

const mistakes = {
  "the loop ends by what one channel says": ["left.changed + right.changed", "left.changed"],
  "the loop ends after some rounds": ["round > 0 && vote?.changed === 0", "round >= 2"],
  "what a cluster was before is added to what it is": ["this.#parts = [];", ""],
  "the first centres are the first points of a channel": ["left.lot - right.lot || (a < b ? -1 : 1)", "0"],
  "measures count by their numbers": ["/ (deviations[at] ?? 1)", "/ 1"],
} as const;

for (const [mistake, [search, replace]] of Object.entries(mistakes)) {
  onThisMachine(test, `a mistake is found: ${mistake}`, async () => {
    const found = await foundBy("k-means/k-means-checks", [{ file, search, replace }]);
    assert.ok(found !== undefined, "it wasn't found");
  });
}

onThisMachine(test, "prints clusters that are nearly the species", async () => {
  assert.match(await printedBy("algorithms/k-means/k-means"), / 5,?076 g +0 +0 +123$/m);
});

onThisMachine(test, "the picture of the page is the one that is drawn now", async () => {
  const picture = readFileSync(join(projectFolder, "examples/algorithms/k-means/penguins.svg"), "utf8");
  assert.is(await drawClusters(), picture);
});

test.run();
