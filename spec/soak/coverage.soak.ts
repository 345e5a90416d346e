// specs: alone
// specs: timeout 500 s
// How much of the engine simulation runs, by itself.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as assert from "uvu/assert";
import { faultKinds } from "../../lib/testing/simulation/index.ts";
import { lineCoverage } from "../kit/line-coverage.ts";
import { note } from "../kit/note.ts";
import { filesBelow, projectFolder } from "../kit/sources.ts";
import { suite } from "../kit/suite.ts";

const test = suite("what simulation runs of the engine");

const seeds = Number(process.env["QSTREAM_COVERAGE_SEEDS"] ?? 1000);
/** 90.7 % when this was written: the rest is above all the host of real actors, what is said of users' mistakes and of dead slots. */
const leastShare = 0.9;
const engine = "dist/spec/kit/run-mutant.js";
/** Beside the flows of the recovery specs: what only these simulate. */
const simulating = [
  "endings",
  "verify-replay",
  "check-seeds",
  "simulate",
  "cluster",
  "cluster-lost",
  "scale",
  "waiting-code",
  "rebalance",
  "rescale",
  "stops",
  "user-code",
];

/** The other side of the seam: simulation has its own. What it has of them is measured by their own specs. */
const otherSide = ["actors/transport/", "actors/stores/"];
/** Actors of users, which no flow has: explorations and specs that crash systems of them run these. */
const ofActors = [
  "actors/system/",
  "actors/slot/hosted-actors.ts",
  "actors/slot/hosted-node.ts",
  "actors/slot/slot-actors.ts",
  "actors/slot/actor-guests.ts",
  "actors/slot/actor-notes.ts",
  "actors/slot/relayed-actors.ts",
  "actors/slot/client-relay.ts",
  "actors/hosts/prompt-turns.ts",
  "actors/scheduler/awaited-slots.ts",
];
/** Nothing but how a slot gets a thread or process of its own, the pipe between a process and its session, and what a machine downloads. */
const outside: Readonly<Record<string, string>> = {
  "actors/slots/thread-entry.ts": "what a thread begins with",
  "actors/slots/thread-slots.ts": "starts and ends threads",
  "actors/slots/process-entry.ts": "what a process begins with",
  "actors/slots/process-slots.ts": "starts and ends processes",
  "actors/slots/watchdog.ts": "what the thread beside a process's slot begins with",
  "actors/slots/signs-of-life.ts": "what that thread writes to a pipe",
  "actors/slots/lease.ts": "reads that pipe in the session's process",
  "actors/slots/inline-slots.ts": "starts slots in the session's own thread, and keeps its process alive",
  "actors/cluster/bundles.ts": "fetches code by HTTP and keeps it on disk, where Node imports it",
};

function measuredFiles(): string[] {
  const sources = filesBelow("actors").filter((file) => file.endsWith(".ts"));
  for (const file of Object.keys(outside)) assert.ok(sources.includes(file), `there is no ${file} any more`);
  for (const start of ofActors)
    assert.ok(
      sources.some((file) => file.startsWith(start)),
      `there is no ${start} any more`,
    );
  const counts = (file: string): boolean =>
    outside[file] === undefined && ![...otherSide, ...ofActors].some((start) => file.startsWith(start));
  return sources.filter(counts).map((file) => file.replace(/\.ts$/u, ".js"));
}

test("simulation alone runs nine tenths of the lines of the engine that aren't transports, stores or launchers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qstream-coverage-"));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder, QSTREAM_VERIFIED_SEEDS: "12" };
    const side = async (programs: readonly (readonly string[])[]): Promise<void> => {
      for (const words of programs) {
        const running = promisify(execFile)(process.execPath, words, { cwd: projectFolder, env });
        // Nothing else was healthy before it.
        running.child.stdin?.end();
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await running;
      }
    };
    await Promise.all([
      side([
        [engine, "[]", String(seeds), "all"],
        // Those, too, that an execution needn't survive.
        [engine, "[]", String(Math.ceil(seeds / 4)), "all", faultKinds.join()],
        ["dist/spec/kit/run-cluster-mutant.js", "[]", String(Math.ceil(seeds / 10))],
      ]),
      side(simulating.map((name) => [`dist/spec/lib/testing/simulation/${name}.spec.js`])),
    ]);
    const files = lineCoverage(folder, measuredFiles());
    const lines = files.reduce((sum, file) => sum + file.lines, 0);
    const uncovered = files.reduce((sum, file) => sum + file.uncovered.length, 0);
    const share = 1 - uncovered / lines;
    note(`${(share * 100).toFixed(1)} % of ${lines} lines`);
    for (const file of files.toSorted((left, right) => right.uncovered.length - left.uncovered.length).slice(0, 10)) {
      console.log(`${file.file}: ${file.uncovered.length} of ${file.lines} not run`);
    }
    assert.ok(share >= leastShare, `${(share * 100).toFixed(1)} %`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 480_000);

test.run();
