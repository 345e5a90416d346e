import { explore, type Exploration } from "qstream/testing";
import * as assert from "uvu/assert";
import { note } from "../../kit/note.ts";
import { suite } from "../../kit/suite.ts";
import { explorations } from "./explorations.ts";

const test = suite("algorithms, explored for long");
const folder = new URL("../../../examples/algorithms/", import.meta.url);
const seeds = 10_000;
/** Of further scenarios of an algorithm. */
const furtherSeeds = 2000;

for (const name of explorations) {
  test(`${name}: ${seeds} seeds`, async () => {
    const scenarios = Object.entries(
      (await import(`${folder.href}${name}/exploration.js`)) as Readonly<Record<string, Exploration>>,
    );
    for (const [scenario, exploration] of scenarios) {
      const wanted = scenario === "default" ? seeds : furtherSeeds;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const report = await explore(exploration, { seeds: wanted, from: 1_000_001 });
      assert.is(report.seeds, wanted);
      note(`${name}, ${scenario}: ${report.steps} steps in ${Math.round(report.elapsedMs / 1000)} s`);
    }
  }, 900_000);
}

test.run();
