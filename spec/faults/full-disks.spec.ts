// specs: waits
// specs: timeout 120 s
// A disk that is full: an execution whose spools, sorts or sinks need it fails at once, leaves no temporary file, and can be gone on
// with once there is space. (That of the store is waited for: lmdb.spec.ts.)

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openStore } from "../../actors/stores/open-store.ts";
import { defineFlow, local, type Flow, type Limits } from "../../lib/index.ts";
import type { ErrorCode } from "../../lib/core/errors.ts";
import { failure } from "../kit/failure.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  slotProcesses,
  temporaryFoldersOf,
} from "../kit/faults.ts";
import { fillDisk, freeDisk, mountSmallDisk, type SmallDisk } from "../kit/small-disk.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { diamond, sortedOnDisk, spilling, ticking, type Pace } from "./flows.ts";

const test = suite("faults: full disks");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("full-disks");
const pace: Pace = { count: 16_000, everyMs: 60 };
let unmount = (): void => {};

test.after(async () => {
  unmount();
  folder.remove();
  await assertNothingLeft();
});

/** Lines long enough that some are written before the stream has ended. */
export const written = defineFlow(import.meta.url, (q, args: Pace & { readonly folder: string }) => ({
  rows: q
    .read("numbers", ticking(args))
    .map("row", (n) => ({ n, text: "x".repeat(1000) }))
    .toCsv(args.folder),
}));

interface Case {
  readonly name: string;
  readonly disk: SmallDisk;
  readonly code: ErrorCode;
  readonly limits?: Partial<Limits>;
}

/** Fills the disk while a flow runs, which fails by that; then makes space, and goes on with it. Returns its outputs. */
async function failsAndGoesOn<Args extends Pace, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  { name, disk, code, limits = {} }: Case,
): Promise<Outs> {
  const store = `lmdb:${join(folder.path, name)}`;
  await using session = await local({ slots: 2, isolation: "process", store, checkpointEveryMs: 60 });
  const gate = join(folder.path, `gate-${name}`);
  const pids = slotProcesses().map(({ pid }) => pid);
  const run = (): Promise<unknown> =>
    runWithFaults(flow, { ...args, gate }, { on: session, seed: 0, gate, limits }, async (faults) => {
      await faults.read(4000);
      fillDisk(disk.path);
      // It fails while there is still something to read.
      while (await faults.after(20)) continue;
    });
  const error = await failure(run, code);
  assert.match(error.message, /space/iu);
  assert.equal(temporaryFoldersOf(pids), [], "temporary files are left");
  freeDisk(disk.path);
  const known = await openStore(store);
  const [execution] = await known.list();
  await known.close();
  const resumed = await flow.resume(execution?.execution ?? "", { on: session });
  return await resumed.outputs;
}

if (!inSlot && hasProcesses()) {
  const disk = mountSmallDisk(join(folder.path, "small-disk"));
  if (disk !== undefined) cases(disk);
}

function cases(disk: SmallDisk): void {
  ({ unmount } = disk);
  const before = process.env["TMPDIR"];

  for (const [name, flow] of [
    ["spools", diamond],
    ["sorts", sortedOnDisk],
  ] as const) {
    test(`the disk of ${name} is full: the execution fails at once, and goes on where there is space`, async () => {
      const expected = digestOf((await flow.run({ ...pace, everyMs: 0 }, { isolation: "none" })).rows);
      process.env["TMPDIR"] = disk.path;
      try {
        const limits = spilling;
        const { rows } = await failsAndGoesOn<Pace, { rows: unknown[] }>(flow as never, pace, {
          name,
          disk,
          code: "LIMIT_EXCEEDED",
          limits,
        });
        assert.is(digestOf(rows), expected);
      } finally {
        if (before === undefined) delete process.env["TMPDIR"];
        else process.env["TMPDIR"] = before;
      }
    }, 60_000);
  }

  test("the disk of a sink is full: the execution fails at once, goes on where there is space, and each line is there once", async () => {
    const target = join(disk.path, "out");
    await failsAndGoesOn(written, { ...pace, folder: target }, { name: "sink", disk, code: "LIMIT_EXCEEDED" });
    const names = readdirSync(target);
    assert.ok(
      names.every((name) => /^part-.*\.csv$/u.test(name)),
      names.join(),
    );
    const rows = names.flatMap((name) => readFileSync(join(target, name), "utf8").trim().split("\n").slice(1));
    const lines = Array.from({ length: pace.count }, (_, n) => `${n},${"x".repeat(1000)}`);
    assert.is(digestOf(rows), digestOf(lines));
  }, 60_000);
}

test.run();
