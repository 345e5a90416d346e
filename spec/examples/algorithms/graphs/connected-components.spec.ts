import * as assert from "uvu/assert";
import connectedComponents from "../../../../examples/algorithms/graphs/connected-components.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../../running.ts";
import { foundBy } from "../broken-flow.ts";
import { check, checkMembers } from "./connected-components-checks.ts";
import { realLines } from "./networks.ts";

const test = suite("example connected-components");
const file = "examples/algorithms/graphs/connected-components.js";

onEveryTopology(test, "components are those of union and find, on any number of channels", async (on) => {
  for (const channels of [1, 3]) {
    const { members, largest } = await connectedComponents.run({ channels, least: 6000 }, { on });
    checkMembers(members, realLines, 6000);
    assert.equal(
      largest.map(({ value }) => value),
      [28, 5, 2],
    );
  }
});

onThisMachine(test, "all airports are connected by some line", async () => {
  const { largest } = await connectedComponents.run({ least: 1 }, { slots: 2, isolation: "none" });
  assert.equal(largest, [{ key: "ABE", value: 305 }]);
});

onThisMachine(test, "components of drawn networks are right in any order", () => check(25));

onThisMachine(test, "a slot that is lost in the middle changes nothing", async () => {
  const options = { seeds: 5, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
  const { failure, faults } = await checkSeeds(connectedComponents, { least: 6000 }, options);
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
  assert.ok((faults.kill ?? 0) > 0);
});

const mistakes = {
  "lines are taken in one direction": ["to: isFlown ? origin : undefined", "to: undefined"],
  "the last code wins": ["known <= component", "known >= component"],
  "an airport that heard of an earlier code keeps it to itself": [
    "this.#components.set(airport, component);",
    "this.#components.set(airport, component); if (known !== undefined) return;",
  ],
  "lines that are flown too seldom count": ["count >= least", "count >= 1"],
} as const;

for (const [mistake, [search, replace]] of Object.entries(mistakes)) {
  onThisMachine(test, `a mistake is found: ${mistake}`, async () => {
    const found = await foundBy("graphs/connected-components-checks", [{ file, search, replace }]);
    assert.ok(found !== undefined, "it wasn't found");
  });
}

onThisMachine(test, "prints the components of more than one airport", async () => {
  const text = await printedBy("algorithms/graphs/connected-components");
  assert.match(text, /^ +5 +HNL ITO KOA LIH OGG$/m);
});

test.run();
