import * as assert from "uvu/assert";
import shortestPaths, { kilometres, stopsOf } from "../../../../examples/algorithms/graphs/shortest-paths.ts";
import { checkSeeds } from "../../../../lib/testing/index.ts";
import { suite } from "../../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "../../running.ts";
import { foundBy } from "../broken-flow.ts";
import { realNetwork } from "./networks.ts";
import { check, checkWays } from "./shortest-paths-checks.ts";

const test = suite("example shortest-paths");
const file = "examples/algorithms/graphs/shortest-paths.js";

for (const rounds of [true, false]) {
  const how = rounds ? "in rounds" : "without rounds";

  onEveryTopology(test, `${how}, ways are Dijkstra's on any number of channels`, async (on) => {
    for (const channels of rounds ? [1, 3] : [2]) {
      const { ways } = await shortestPaths.run({ channels, from: "ADK", rounds }, { on });
      checkWays(ways, realNetwork, "ADK");
    }
  });

  onThisMachine(test, `${how}, a slot that is lost in the middle changes nothing`, async () => {
    const options = { seeds: 4, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
    const { failure, faults } = await checkSeeds(shortestPaths, { rounds }, options);
    assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
    assert.ok((faults.kill ?? 0) > 0);
  });
}

onThisMachine(test, "ways of drawn networks are right in any order", () => check(15));

onThisMachine(test, "distances are those of the sphere", () => {
  const [pole, equator, opposite] = [
    { latitude: 90, longitude: 0 },
    { latitude: 0, longitude: 0 },
    { latitude: 0, longitude: 180 },
  ];
  assert.is(kilometres(pole, equator), 10_008);
  assert.is(kilometres(equator, opposite), 20_015);
  assert.is(kilometres(equator, equator), 1);
});

onThisMachine(test, "stops lead from the start to the airport", async () => {
  const { ways } = await shortestPaths.run({}, { slots: 1, isolation: "none" });
  const byAirport = new Map(ways.map((way) => [way.airport, way]));
  for (const way of ways) {
    const stops = stopsOf(way, byAirport);
    assert.is(stops.length, way.flights + 1);
    assert.equal([stops[0], stops.at(-1)], ["BOS", way.airport]);
  }
});

const mistakes = {
  "the first way wins": [["known !== undefined && !isShorter(way, known)", "known !== undefined"]],
  "of ways of one length, any is taken": [
    ["if (way.flights !== than.flights)", "if (way.km === than.km) return false; if (false)"],
  ],
  "without rounds, who hears of a line late doesn't tell its end": [["if (this.#ways.has(hop.airport))", "if (false)"]],
  "the loop ends when nothing changes in one channel": [
    ["*tell() {", "get isQuiet() { return this.#changed.size === 0; } *tell() {"],
    [
      "    round() {",
      "    vote() { return this.wasQuiet; } merge(l, r) { return l || r; } round() { this.wasQuiet = this.isQuiet;",
    ],
    ["new WaysInRounds(), options)", "new WaysInRounds(), { ...options, until: ({ vote }) => vote })"],
  ],
} as const;

for (const [mistake, patches] of Object.entries(mistakes)) {
  onThisMachine(test, `a mistake is found: ${mistake}`, async () => {
    const changes = patches.map(([search, replace]) => ({ file, search, replace }));
    assert.ok((await foundBy("graphs/shortest-paths-checks", changes)) !== undefined, "it wasn't found");
  });
}

onThisMachine(test, "prints the ten farthest airports", async () => {
  assert.match(await printedBy("algorithms/graphs/shortest-paths"), /^Hilo, HI +8,295 +BOS SLC OGG ITO$/m);
});

test.run();
