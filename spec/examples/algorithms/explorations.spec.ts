import { existsSync, readdirSync } from "node:fs";
import { explore, type Exploration } from "qstream/testing";
import * as assert from "uvu/assert";
import { suite } from "../../kit/suite.ts";
import { explorations } from "./explorations.ts";

const test = suite("algorithms, explored");
const folder = new URL("../../../examples/algorithms/", import.meta.url);

for (const name of explorations) {
  test(`${name}: 200 seeds`, async () => {
    const { default: exploration } = (await import(`${folder.href}${name}/exploration.js`)) as { default: Exploration };
    const { seeds, counts } = await explore(exploration, { seeds: 200 });
    assert.is(seeds, 200);
    assert.ok(counts.messages.median > 0);
  }, 60_000);
}

test("none is left out", () => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory());
  const found = folders.map(({ name }) => name).filter((name) => existsSync(new URL(`${name}/exploration.js`, folder)));
  assert.equal(found.sort(), [...explorations]);
});

test.run();
