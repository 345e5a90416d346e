// specs: waits
// specs: timeout 120 s
// What a slot had on disk goes with it, however it ends: not only when the session ends.

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { defineFlow, local } from "../../lib/index.ts";
import {
  assertNothingLeft,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  slotProcesses,
  temporaryFoldersOf,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { spilling, ticking, type Pace } from "./flows.ts";

const test = suite("faults: temporary files");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("temporary-files");
const pace: Pace = { count: 12_000, everyMs: 30 };
const momentMs = 3000;

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

/** A stream that parts and meets again, with a function that doesn't come back once the file `loop` is there. */
export const spooling = defineFlow(import.meta.url, (q, { loop, ...args }: Pace & { readonly loop: string }) => {
  const rows = q.read("numbers", ticking(args)).map("row", (n) => {
    if (n % 100 === 0 && existsSync(loop)) {
      rmSync(loop, { force: true });
      for (;;);
    }
    return { key: n % 97, n };
  });
  const counts = rows.reduceByKey(
    "count",
    ({ key }) => key,
    () => 0,
    (count) => count + 1,
  );
  return { rows: rows.join("meet", counts, { left: "key", right: "key" }).count("count rows").collect() };
});

/** Waits until they are gone, as long as that may take. */
async function left(names: readonly string[]): Promise<readonly string[]> {
  const there = (): readonly string[] => names.filter((name) => existsSync(join(tmpdir(), name)));
  const deadline = performance.now() + momentMs;
  // oxlint-disable-next-line no-await-in-loop -- looks again and again
  while (there().length > 0 && performance.now() < deadline) await wait(20);
  return there();
}

if (!inSlot && hasProcesses()) {
  for (const isolation of ["process", "thread"] as const) {
    const end = isolation === "process" ? "is killed" : "is ended in an endless loop";

    test(`the files of a slot that ${end} are removed while the session goes on (${isolation})`, async () => {
      const gate = join(folder.path, `gate-${isolation}`);
      const loop = join(folder.path, `loop-${isolation}`);
      await using session = await local({ slots: 2, isolation, store: "memory", turnMs: 2000 });
      let names: readonly string[] = [];
      const { outputs, slotsLost } = await runWithFaults(
        spooling,
        { ...pace, gate, loop },
        { on: session, seed: 0, gate, limits: spilling },
        async (faults) => {
          const [{ pid, slot } = { pid: process.pid, slot: "" }] = slotProcesses();
          while (names.length < (isolation === "process" ? 1 : 2)) {
            // oxlint-disable-next-line no-await-in-loop -- looks again and again
            if (!(await faults.after(5))) return;
            names = temporaryFoldersOf([pid]);
          }
          if (isolation === "process") faults.hit(slot);
          else writeFileSync(loop, "");
          await faults.next("recovered");
        },
      );
      assert.equal([outputs.rows, slotsLost], [[pace.count], 1]);
      assert.ok(names.length > 0, "it had nothing on disk");
      assert.equal(await left(names), []);
    }, 60_000);
  }
}

test.run();
