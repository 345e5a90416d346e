// specs: timeout 900 s
// Engines that are broken on purpose, each by a few lines in the production files, must be found by simulation: those that
// take away something that recovery stands on within 2,000 seeds, all of them; of small changes that a program makes up,
// most. What simulation doesn't see of the latter makes no result wrong: the specs of the room have to.
//
// Kinds of what survives simulation are in the table of docs/decisions/0015-simulation.md. QSTREAM_SEED draws others.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { faultKinds } from "../../lib/testing/simulation/index.ts";
import { brokenBeyondRepair, brokenEngines } from "../kit/broken-engines.ts";
import { madeMutants, type MadeMutant } from "../kit/made-mutants.ts";
import { eachOf, runMutant, specThatFinds } from "../kit/mutants.ts";
import { note } from "../kit/note.ts";
import { projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";

const test = suite("broken engines");
const seedsMax = 2000;
const atOnce = 2;

test("each engine that is broken on purpose is found within 2,000 seeds", async () => {
  const survivors: string[] = [];
  const ways = [
    ...Object.entries(brokenEngines).map(([name, patches]) => ({ name, run: () => runMutant(patches, seedsMax) })),
    ...Object.entries(brokenBeyondRepair).map(([name, { patches, flow, faults }]) => ({
      name,
      run: () => runMutant(patches, seedsMax, "run-mutant", flow, faults),
    })),
  ];
  await eachOf(ways, atOnce, async ({ name, run }) => {
    const verdict = await run();
    assert.ok(verdict !== undefined, `${name}: the engine can't be loaded`);
    if (verdict?.reason === undefined) survivors.push(name);
    console.log(
      `${name}: ${verdict?.reason === undefined ? "SURVIVED" : `seed ${verdict.seeds}, ${verdict.reason.slice(0, 200)}`}`,
    );
  });
  note(`${ways.length - survivors.length} of ${ways.length} engines that are broken on purpose found`);
  assert.equal(survivors, []);
}, 400_000);

const mutated = [
  "actors/channel/channel.js",
  "actors/channel/inputs.js",
  "actors/channel/outgoing-link.js",
  "actors/channel/replay.js",
  "actors/channel/spool.js",
  "actors/channel/tasks.js",
  "actors/lineage/lineage-actor.js",
  "actors/lineage/lineage-writer.js",
  "actors/lineage/retention.js",
  "actors/scheduler/plan-recovery.js",
  "actors/scheduler/recovering.js",
  "actors/scheduler/scheduler.js",
  "actors/slot/links.js",
];
// Survivors cost the most: what five hundred seeds don't show, thousands seldom do.
const mutantSeedsMax = 500;
const harshSeedsMax = 400;
/** Of those that are drawn, by simulation alone: fewer need a look at what survived, or another flow or fault. */
const leastFound = 0.8;
const mutantsTried = 24;

test("of small changes that a program makes up, most are found by simulation, and the others by specs", async () => {
  const seed = Number(process.env["QSTREAM_SEED"] ?? 1);
  const texts = new Map(mutated.map((file) => [file, readFileSync(join(projectFolder, "dist", file), "utf8")]));
  const mutants = madeMutants(texts, mutantsTried, seed);
  const survivors: MadeMutant[] = [];
  let found = 0;
  await eachOf(mutants, atOnce, async (mutant) => {
    let verdict = await runMutant([mutant], mutantSeedsMax);
    if (verdict === undefined) return;
    // How errors of a store or a disk are met shows only where there are some that no engine survives.
    if (verdict.reason === undefined) {
      verdict = (await runMutant([mutant], harshSeedsMax, "run-mutant", "all", faultKinds)) ?? verdict;
    }
    if (verdict.reason === undefined) survivors.push(mutant);
    else found++;
    console.log(
      `${mutant.name}: ${verdict.reason === undefined ? "SURVIVED" : `seed ${verdict.seeds}, ${verdict.reason.slice(0, 120)}`}`,
    );
  });
  const tried = found + survivors.length;
  const share = found / tried;
  const unseen: string[] = [];
  await eachOf(survivors, atOnce, async (mutant) => {
    const spec = await specThatFinds(mutant);
    note(`survived simulation, ${spec === undefined ? "AND ALL SPECS" : `found by ${spec}`}: ${mutant.name}`);
    if (spec === undefined) unseen.push(mutant.name);
  });
  note(`${found} of ${tried} small changes found by simulation, ${Math.round(share * 100)} %`);
  assert.ok(tried >= 20 && share >= leastFound, `${Math.round(share * 100)} % found`);
  assert.equal(unseen, [], "neither simulation nor a spec sees it");
}, 580_000);

test.run();
