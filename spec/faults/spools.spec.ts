// specs: timeout 60 s
// What spools and sorts have on disk is damaged while a flow runs: that is found by its checksum, made again, and never read as data.

import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as assert from "uvu/assert";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  slotProcesses,
  temporaryFoldersOf,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { diamond, sortedOnDisk, spilling, type Pace } from "./flows.ts";

const test = suite("faults: damaged spools");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("damaged-spools");
const pace: Pace = { count: 6000, everyMs: 30 };
// What waits behind a stage goes to disk, but for the first few parcels.

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

/** Temporary files of these processes that have anything in them. */
function filesOf(purpose: "spool" | "sort", pids: readonly number[]): string[] {
  return temporaryFoldersOf(pids)
    .flatMap((folder) => readdirSync(join(tmpdir(), folder)).map((name) => join(tmpdir(), folder, name)))
    .filter((path) => basename(path).startsWith(`${purpose}-`) && sizeOf(path) > 1000);
}

/** 0 for one that has just been removed. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function changeByte(path: string): void {
  const file = openSync(path, "r+");
  const at = Math.floor(statSync(path).size / 2);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, at);
  closeSync(file);
}

const cut = (path: string): void => truncateSync(path, Math.floor(statSync(path).size / 2));

interface Case {
  readonly flow: typeof diamond | typeof sortedOnDisk;
  readonly purpose: "spool" | "sort";
  readonly isolation: "thread" | "process";
  readonly checkpointEveryMs: number;
}

/** Damages all such files that there are at some time, from which nothing is read before the stream has ended. */
async function damaged({ flow, purpose, isolation, checkpointEveryMs }: Case, damage: (path: string) => void) {
  const options = { slots: 2, isolation, store: "memory", checkpointEveryMs, limits: spilling } as const;
  const gate = join(folder.path, `gate-${purpose}-${isolation}`);
  const paths: string[] = [];
  const run = runWithFaults<Pace, { rows: unknown[] }>(
    flow as never,
    { ...pace, gate },
    { ...options, seed: 0, gate },
    async (faults) => {
      const pids = isolation === "thread" ? [process.pid] : slotProcesses().map(({ pid }) => pid);
      for (let look = 0; paths.length === 0 && look < 1000; look++) {
        if (!(await faults.after(5))) return;
        paths.push(...filesOf(purpose, pids));
      }
      for (const path of paths) damage(path);
    },
  );
  const { outputs, recoveries, slotsLost } = await run;
  assert.ok(paths.length > 0, `no ${purpose} had anything on disk`);
  assert.ok(recoveries > 0, "nobody found it");
  assert.is(slotsLost, 0);
  return outputs.rows;
}

if (!inSlot && hasProcesses()) {
  // A checkpoint of a sort has what its runs hold: it finds the damage before they are merged.
  for (const [what, damage, isolation, when, checkpointEveryMs] of [
    ["a byte of it changes", changeByte, "thread", "merged", 60_000],
    ["it is cut", cut, "process", "saved", 50],
  ] as const) {
    test(`a spool on disk of which ${what} (${isolation}): the result is the same`, async () => {
      const expected = digestOf((await diamond.run({ ...pace, everyMs: 0 }, { isolation: "none" })).rows);
      const rows = await damaged({ flow: diamond, purpose: "spool", isolation, checkpointEveryMs: 50 }, damage);
      assert.is(digestOf(rows), expected);
    });

    test(`a sort's run on disk of which ${what}, when it is ${when} (${isolation}): the result is the same`, async () => {
      const expected = await sortedOnDisk.run({ ...pace, everyMs: 0 }, { isolation: "none" });
      const rows = await damaged({ flow: sortedOnDisk, purpose: "sort", isolation, checkpointEveryMs }, damage);
      assert.equal(rows, expected.rows);
    });
  }
}

test.run();
