// specs: alone
// specs: timeout 1200 s
// 50,000 simulated executions with faults, on two threads.

import { Worker } from "node:worker_threads";
import * as assert from "uvu/assert";
import { note } from "../kit/note.ts";
import { suite } from "../kit/suite.ts";
import type { SoakedShare, SoakShare } from "../lib/testing/simulation/soak-worker.ts";

const test = suite("50,000 simulated executions");

const seeds = Number(process.env["QSTREAM_SEEDS"] ?? 50_000);
const threads = 2;
/** A machine that doesn't come to all of them in its time says how many it did; with fewer than these it hasn't shown anything. */
const leastSeeds = Math.ceil(seeds * 0.2);
// Where other soaks took long, it has half of what is left: another one follows.
const secondsLeft = Number(process.env["QSTREAM_SPEC_SECONDS"] ?? 1200);
const withinMs = Math.min(240, secondsLeft / 2) * 1000;
// Seeds of each flow, beyond those of the specs.
const firstSeed = 100_000;

function soak(share: number): Promise<SoakedShare> {
  const data: SoakShare = { seeds: Math.ceil(seeds / threads), from: firstSeed + share * seeds, withinMs };
  const worker = new Worker(new URL("../lib/testing/simulation/soak-worker.js", import.meta.url), { workerData: data });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a soaking thread ended with ${code}`)));
  });
}

test("every seed gives what a run without faults gives, and every fault strikes in every phase", async () => {
  const started = performance.now();
  const shares = await Promise.all(Array.from({ length: threads }, (_, share) => soak(share)));
  const done = shares.reduce((sum, share) => sum + share.seeds, 0);
  const elapsed = (performance.now() - started) / 1000;
  note(`${done} of ${seeds} seeds in ${elapsed.toFixed(0)} s, ${Math.round(done / elapsed)} a second`);
  if (done < seeds) note(`this machine is too slow for all of them in ${withinMs / 1000} s`);
  for (const { problem, struck } of shares) {
    assert.ok(problem === undefined, problem);
    console.log(struck);
  }
  assert.ok(done >= leastSeeds, `${done} seeds, fewer than the least that counts: ${leastSeeds}`);
}, 1_190_000);

test.run();
