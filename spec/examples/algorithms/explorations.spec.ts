import { readdirSync } from "node:fs";
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
  const found = readdirSync(folder).filter((each) => {
    return readdirSync(new URL(`${each}/`, folder)).includes("exploration.js");
  });
  assert.equal(found.sort(), [...explorations]);
});

test.run();
