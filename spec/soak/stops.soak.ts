// specs: waits
// specs: timeout 300 s
// Runs of files that are stopped by Ctrl-C or killed with kill -9, again and again, and gone on with: with and without other channels
// and changed code. And the same in the simulated world, of all flows.
//
// Others than those of every run: QSTREAM_SOAK_SEED=123 node --enable-source-maps dist/spec/soak/stops.soak.js

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { checkSeeds, type FaultKind } from "../../lib/testing/simulation/index.ts";
import { drawContinuation, StoppedRun } from "../faults/stopped-runs.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder } from "../kit/faults.ts";
import { note } from "../kit/note.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";
import type { FlowName } from "../lib/testing/simulation/check-flows.ts";
import { fixedFlows, simulatedFlows } from "../lib/testing/simulation/flows.ts";
import { repeatSeed } from "../lib/testing/simulation/repeated-seed.ts";

const test = suite("runs that are stopped, again and again");
const firstSeed = Number(process.env["QSTREAM_SOAK_SEED"] ?? 1);
const roundsMost = 40;
const withinMs = 120_000;
const simulatedMs = 60_000;
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("stops-soak");
const codeFolder = inSlot ? "" : mkdtempSync(join(projectFolder, "dist", "faults-code-"));

test.after(async () => {
  folder.remove();
  rmSync(codeFolder, { recursive: true, force: true });
  await assertNothingLeft();
});

if (!inSlot && hasProcesses()) {
  test("what their sinks have written is what a run that nobody stops writes", realRounds, 200_000);
  test("in the simulated world, too, stopped and killed, with other channels", simulatedStops, 90_000);
}

async function realRounds(): Promise<void> {
  const deadline = performance.now() + withinMs;
  let rounds = 0;
  for (let seed = firstSeed; rounds < roundsMost && performance.now() < deadline; seed++) {
    const random = seededRandom(seed);
    const name = `run-${seed}`;
    // Every third one is `qstream run` itself, which saves states every two seconds; the others save many.
    const slow = seed % 3 === 0;
    const pace = slow ? { rows: 40_000, everyMs: 120 } : { rows: 12_000, everyMs: 5 };
    const run = new StoppedRun({
      ...pace,
      codeFolder: join(codeFolder, name),
      folder: join(folder.path, name),
      checkpointEveryMs: slow ? undefined : 20 + Math.floor(random() * 60),
      say: (text) => console.log(`seed ${seed}: ${text}`),
    });
    const stops = 2 + Math.floor(random() * 4);
    for (let round = 0; round < stops; round++, rounds++) {
      const signal = random() < 0.6 ? "SIGINT" : "SIGKILL";
      // oxlint-disable-next-line no-await-in-loop -- one process after the other
      await run.stopped({ signal, afterMs: random() * (slow ? 3000 : 400) }, drawContinuation(random));
    }
    // oxlint-disable-next-line no-await-in-loop -- see above
    await run.ends(drawContinuation(random));
  }
  note(`stopped ${rounds} of ${roundsMost} times`);
}

const kinds: readonly (readonly FaultKind[])[] = [["stop"], ["stop", "restart", "kill", "lapse"]];
const seedsOfEach = 25;

async function simulatedStops(): Promise<void> {
  const deadline = performance.now() + simulatedMs;
  let stops = 0;
  for (const [index, faults] of kinds.entries()) {
    for (const rescales of [false, true]) {
      for (const [name, { flow, args, options }] of Object.entries(simulatedFlows)) {
        if (performance.now() > deadline || (rescales && fixedFlows.includes(name))) continue;
        const from = firstSeed * 100_000 + index * 1000;
        const settings = { faults, rescales, faultsMax: 8 };
        // oxlint-disable-next-line no-await-in-loop -- one world at a time
        const { failure, faults: struck } = await checkSeeds(flow, args as never, {
          ...options,
          ...settings,
          seeds: name === "columnar" ? 3 : seedsOfEach,
          from,
          command: (seed) => repeatSeed(name as FlowName, seed, settings),
        });
        const told = `${name}, ${failure?.reason}\n${failure?.command}`;
        assert.ok(failure === undefined, `${told}\n${failure?.error?.stack}`);
        stops += struck.stop ?? 0;
      }
    }
  }
  note(`stopped ${stops} times in the simulated world`);
}

test.run();
