import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import pageRank from "../../../../examples/algorithms/graphs/page-rank.ts";
import { drawMap } from "../../../../examples/algorithms/graphs/picture.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../../running.ts";
import { foundBy } from "../broken-flow.ts";
import { realLines } from "./networks.ts";
import { check, checkRanks, digitsOf } from "./page-rank-checks.ts";

const test = suite("example page-rank");
const file = "examples/algorithms/graphs/page-rank.js";

onEveryTopology(
  test,
  "ranks are those of a plain loop, the same to the last digit on any number of channels",
  async (on) => {
    const { ranks, top } = await pageRank.run({ channels: 2 }, { on });
    checkRanks(ranks, realLines);
    const first = ranks.toSorted((a, b) => b.rank - a.rank).slice(0, 10);
    assert.equal(top, first);
    const [one, five] = [
      await pageRank.run({ channels: 1, tolerance: 0.01 }, { on }),
      await pageRank.run({ channels: 5, tolerance: 0.01 }, { on }),
    ];
    assert.equal(digitsOf(one.ranks), digitsOf(five.ranks));
  },
);

onThisMachine(test, "ranks of drawn networks are right in any order", () => check(20));

onThisMachine(test, "a slot that is lost in the middle changes nothing", async () => {
  const options = { seeds: 5, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
  const { failure, faults } = await checkSeeds(pageRank, { tolerance: 0.01 }, options);
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
  assert.ok((faults.kill ?? 0) > 0);
});

const mistakes = {
  "rank of airports without flights gets lost": ["given + stranded / airports", "given"],
  "the loop ends by what one channel says": ["moved: left.moved + right.moved", "moved: left.moved"],
  "sums are rounded as they come": ["Math.round(rank / grain) * grain", "rank"],
  "lines count once, however often they are flown": ["(rank * some) / count", "rank / flights.size"],
} as const;

for (const [mistake, [search, replace]] of Object.entries(mistakes)) {
  onThisMachine(test, `a mistake is found: ${mistake}`, async () => {
    const found = await foundBy("graphs/page-rank-checks", [{ file, search, replace }]);
    assert.ok(found !== undefined, "it wasn't found");
  });
}

onThisMachine(test, "prints the ten airports of highest rank", async () => {
  const text = await printedBy("algorithms/graphs/page-rank");
  assert.match(text, /^ATL +Atlanta, GA +5\.97 %$/m);
  assert.is(text.trimEnd().split("\n").length, 12);
});

onThisMachine(test, "the map of the page is the one that is drawn now", async () => {
  const map = readFileSync(join(projectFolder, "examples/algorithms/graphs/airports.svg"), "utf8");
  assert.is(await drawMap(), map);
});

test.run();
