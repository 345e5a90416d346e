// specs: timeout 300 s
// Clusters that are broken on purpose, each by a few lines in the production files, must be found by simulation within 200 seeds.
import * as assert from "uvu/assert";
import { brokenClusters } from "../kit/broken-clusters.ts";
import { eachOf, runMutant } from "../kit/mutants.ts";
import { note } from "../kit/note.ts";
import { suite } from "../kit/suite.ts";

const test = suite("broken clusters");
const seedsMax = 200;
const atOnce = 2;
// A machine on which they take longer says which it didn't come to.
const withinMs = 200_000;

test(`each cluster that is broken on purpose is found within ${seedsMax} seeds`, async () => {
  const survivors: string[] = [];
  const ways = Object.entries(brokenClusters);
  let looked = 0;
  const startedAt = performance.now();
  await eachOf(ways, atOnce, async ([name, patches]) => {
    if (performance.now() - startedAt > withinMs) {
      note(`${name}: not looked for, this machine is too slow`);
      return;
    }
    const verdict = await runMutant(patches, seedsMax, "run-cluster-mutant");
    assert.ok(verdict !== undefined, `${name}: the cluster can't be loaded`);
    const { reason, seeds } = verdict ?? { reason: "", seeds: 0 };
    looked++;
    if (reason === undefined) survivors.push(name);
    console.log(`${name}: ${reason === undefined ? "SURVIVED" : `seed ${seeds}, ${reason.slice(0, 200)}`}`);
  });
  note(`${looked - survivors.length} of ${ways.length} found`);
  assert.equal(survivors, []);
  assert.ok(looked >= ways.length / 2, `${looked} of ${ways.length} looked for`);
}, 290_000);

test.run();
