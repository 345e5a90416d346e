// specs: timeout 1200 s
// 50,000 simulated executions with faults: it has the longest limit, so that it begins first and lasts as long as all
// the others beside it.

import * as assert from "uvu/assert";
import { note } from "../kit/note.ts";
import { suite } from "../kit/suite.ts";
import { soakSeeds } from "../lib/testing/simulation/soak-seeds.ts";

const test = suite("50,000 simulated executions");

const seeds = Number(process.env["QSTREAM_SEEDS"] ?? 50_000);
/** A machine that doesn't come to all of them in its time says how many it did; with fewer than these it hasn't shown anything. */
const leastSeeds = Math.ceil(seeds * 0.2);
const secondsLeft = Number(process.env["QSTREAM_SPEC_SECONDS"] ?? 1200);
// One round of many isn't cut short, and takes a minute at most.
const withinMs = (secondsLeft - 120) * 1000;

test("every seed gives what a run without faults gives, and every fault strikes in every phase", async () => {
  const started = performance.now();
  const { seeds: done, problem, struck } = await soakSeeds({ seeds, withinMs });
  const elapsed = (performance.now() - started) / 1000;
  note(`${done} of ${seeds} seeds in ${elapsed.toFixed(0)} s, ${Math.round(done / elapsed)} a second`);
  if (done < seeds) note(`this machine is too slow for all of them in ${withinMs / 1000} s`);
  assert.ok(problem === undefined, problem);
  console.log(struck);
  assert.ok(done >= leastSeeds, `${done} seeds, fewer than the least that counts: ${leastSeeds}`);
}, 1_190_000);

test.run();
