// specs: timeout 60 s
// What a spool has on disk is damaged while a flow runs: that is found by its checksum, made again, and never read as data.

import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  slotProcesses,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { diamond, type Pace } from "./flows.ts";

const test = suite("faults: damaged spools");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("damaged-spools");
const pace: Pace = { count: 6000, everyMs: 30 };
// What waits behind a stage goes to disk, but for the first few parcels.
const limits = { spoolMemoryBytes: 0, inputObjects: 200, parcelObjects: 100 } as const;

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

/** Files of spools of these processes that have anything in them. */
function spoolFiles(pids: readonly number[]): string[] {
  const folders = readdirSync(tmpdir()).filter((name) => pids.some((pid) => name.startsWith(`qstream-${pid}-`)));
  return folders
    .flatMap((folder) => readdirSync(join(tmpdir(), folder)).map((name) => join(tmpdir(), folder, name)))
    .filter((path) => /\/spool-\d+$/u.test(path) && statSync(path).size > 1000);
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

if (!inSlot && hasProcesses()) {
  let expected = "";
  test.before(async () => {
    expected = digestOf((await diamond.run({ ...pace, everyMs: 0 }, { isolation: "none" })).rows);
  });

  for (const [what, isolation, damage] of [
    ["a byte of it changes", "thread", changeByte],
    ["it is cut", "process", cut],
  ] as const) {
    test(`a spool on disk of which ${what} (${isolation}): the result is the same`, async () => {
      const options = { slots: 2, isolation, store: "memory", checkpointEveryMs: 50, limits } as const;
      const damaged: string[] = [];
      const gate = join(folder.path, `gate-${isolation}`);
      const { outputs, recoveries, slotsLost } = await runWithFaults(
        diamond,
        { ...pace, gate },
        { ...options, seed: 0, gate },
        async (faults) => {
          const pids = isolation === "thread" ? [process.pid] : slotProcesses().map(({ pid }) => pid);
          for (let look = 0; damaged.length === 0 && look < 1000; look++) {
            if (!(await faults.after(5))) return;
            damaged.push(...spoolFiles(pids));
          }
          // Nothing is read from them before the stream has ended.
          for (const path of damaged) damage(path);
        },
      );
      assert.ok(damaged.length > 0, "no spool had anything on disk");
      assert.ok(recoveries > 0, "nobody found it");
      assert.is(slotsLost, 0);
      assert.is(digestOf(outputs.rows), expected);
    });
  }
}

test.run();
