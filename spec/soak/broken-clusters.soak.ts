// specs: timeout 600 s
// Clusters that are broken on purpose, each by a few lines in the production files, must be found by simulation within 200 seeds.
import * as assert from "uvu/assert";
import { brokenClusters } from "../kit/broken-clusters.ts";
import { eachOf, runMutant } from "../kit/mutants.ts";
import { suite } from "../kit/suite.ts";

const test = suite("broken clusters");
const seedsMax = 200;
const atOnce = 2;

test(`each cluster that is broken on purpose is found within ${seedsMax} seeds`, async () => {
  const survivors: string[] = [];
  await eachOf(Object.entries(brokenClusters), atOnce, async ([name, patches]) => {
    const verdict = await runMutant(patches, seedsMax, "run-cluster-mutant");
    assert.ok(verdict !== undefined, `${name}: the cluster can't be loaded`);
    const { reason, seeds } = verdict ?? { reason: "", seeds: 0 };
    if (reason === undefined) survivors.push(name);
    console.log(`${name}: ${reason === undefined ? "SURVIVED" : `seed ${seeds}, ${reason.slice(0, 200)}`}`);
  });
  assert.equal(survivors, []);
}, 550_000);

test.run();
