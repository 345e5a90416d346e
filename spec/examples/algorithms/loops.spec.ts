// Examples whose flows are loops: what they give is right everywhere and in any order, and mistakes in them are found.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import connectedComponents from "../../../examples/algorithms/graphs/connected-components.ts";
import { drawMap } from "../../../examples/algorithms/graphs/picture.ts";
import shortestPaths, { kilometres, stopsOf } from "../../../examples/algorithms/graphs/shortest-paths.ts";
import { drawClusters } from "../../../examples/algorithms/k-means/picture.ts";
import { importMutant } from "../../kit/mutant-module.ts";
import { projectFolder } from "../../kit/sources.ts";
import { suite } from "../../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedByEach } from "../running.ts";
import { loopExamples } from "./loop-examples.ts";

const test = suite("examples that are loops");
const runs = 12;

onEveryTopology(
  test,
  "what plain loops give, on any number of channels",
  async (on) => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const { onRealData } of loopExamples) await onRealData(on);
  },
  "two threads",
);

onThisMachine(test, "as programs they run on threads, and print what they found", async () => {
  const printed = await printedByEach(loopExamples.map(({ module }) => `algorithms/${module}`));
  for (const { module, prints } of loopExamples) assert.match(printed.get(`algorithms/${module}`) ?? "", prints);
});

for (const { module, onDrawnData, underFaults, mistakes } of loopExamples) {
  const file = `examples/algorithms/${module}.js`;

  onThisMachine(test, `${module}: drawn data, in any order`, async () => {
    const { default: flow } = (await import(new URL(`../../../${file}`, import.meta.url).href)) as { default: unknown };
    await onDrawnData(flow, runs);
  });

  onThisMachine(test, `${module}: a slot that is lost in the middle changes nothing`, async () => {
    for (const check of underFaults) {
      const options = { seeds: 1, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { failure, faults } = await check(options);
      assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
      assert.ok((faults.kill ?? 0) > 0);
    }
  });

  for (const [mistake, patches] of Object.entries(mistakes)) {
    onThisMachine(test, `${module}, a mistake is found: ${mistake}`, async () => {
      const changes = patches.map(([search, replace]) => ({ file, search, replace }));
      const { default: flow } = await importMutant(file, changes);
      const found = await onDrawnData(flow, runs).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(found !== undefined, "it wasn't found");
    });
  }
}

onThisMachine(test, "all airports are connected by some line", async () => {
  const { largest } = await connectedComponents.run({ least: 1 }, { slots: 2, isolation: "none" });
  assert.equal(largest, [{ key: "ABE", value: 305 }]);
});

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

for (const [name, draw] of Object.entries({ "graphs/airports": drawMap, "k-means/penguins": drawClusters })) {
  onThisMachine(test, `${name}.svg is the picture that is drawn now`, async () => {
    const picture = readFileSync(join(projectFolder, `examples/algorithms/${name}.svg`), "utf8");
    assert.is(await draw(), picture);
  });
}

test.run();
