import * as assert from "uvu/assert";
import pageRank from "../../../../examples/algorithms/graphs/page-rank.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../../running.ts";
import { foundBy } from "../broken-flow.ts";
import { check, checkRanks, digitsOf } from "./page-rank-checks.ts";
import { realLines } from "./networks.ts";

const test = suite("example page-rank");
const file = "examples/algorithms/graphs/page-rank.js";

onEveryTopology(
  test,
  "ranks are those of a plain loop, the same to the last digit on any number of channels",
  async (on) => {
    const { ranks, top } = await pageRank.run({ channels: 1 }, { on });
    checkRanks(ranks, realLines);
    const first = ranks.toSorted((a, b) => b.rank - a.rank).slice(0, 10);
    assert.equal(top, first);
    for (const channels of [2, 5]) {
      const again = await pageRank.run({ channels }, { on });
      assert.equal(digitsOf(again.ranks), digitsOf(ranks));
    }
  },
);

onThisMachine(test, "ranks of drawn networks are right in any order", () => check(30));

onThisMachine(test, "a slot that is lost in the middle changes nothing", async () => {
  const options = { seeds: 6, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
  const { failure, faults } = await checkSeeds(pageRank, { tolerance: 1e-3 }, options);
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

test.run();
