// specs: timeout 120 s
// Simulation of clusters is worth something only if it finds those that are broken. All of them run in the soak.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { brokenClusters } from "../../../kit/broken-clusters.ts";
import { runMutant } from "../../../kit/mutants.ts";
import { projectFolder } from "../../../kit/sources.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("broken clusters");
const linesMax = 10;

test("each way to break a cluster still fits it, in at most ten lines", () => {
  for (const [name, patches] of Object.entries(brokenClusters)) {
    let lines = 0;
    for (const { file, search, replace } of patches) {
      const text = readFileSync(join(projectFolder, "dist", file), "utf8");
      assert.is(text.split(search).length - 1, 1, `${name}: ${file} doesn't have once: ${search}`);
      lines += Math.max(search.split("\n").length, replace.split("\n").length);
    }
    assert.ok(lines <= linesMax, name);
  }
});

for (const name of ["a head's epoch isn't looked at where it writes", "lost channels aren't shut out"]) {
  test(`it is found within 30 seeds that ${name}`, async () => {
    const verdict = await runMutant(brokenClusters[name] ?? [], 30, "run-cluster-mutant");
    assert.ok(verdict?.reason !== undefined, name);
  }, 60_000);
}

test.run();
