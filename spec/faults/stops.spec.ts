// specs: waits
// specs: timeout 180 s
// Ctrl-C and kill -9 at moments drawn from a seed: whoever goes on gets all rows, once. Many more rounds are in soak/stops.soak.ts.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { assertNothingLeft, hasProcesses, makeSpecFolder } from "../kit/faults.ts";
import { projectFolder } from "../kit/sources.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { StoppedRun } from "./stopped-runs.ts";

const test = suite("faults: runs that are stopped");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("stops");
const codeFolder = inSlot ? "" : mkdtempSync(join(projectFolder, "dist", "faults-code-"));

test.after(async () => {
  folder.remove();
  rmSync(codeFolder, { recursive: true, force: true });
  await assertNothingLeft();
});

if (!inSlot && hasProcesses()) {
  test("files: stopped twice and killed once, each row is there once, with changed code and with other channels", async () => {
    const random = seededRandom(11);
    const said: string[] = [];
    const say = (text: string): unknown => said.push(text);
    const files = { codeFolder, folder: folder.path, rows: 8000, everyMs: 5, checkpointEveryMs: 40 };
    const run = new StoppedRun({ ...files, say });
    try {
      await run.stopped({ signal: "SIGINT", afterMs: 250 * random() }, { slots: 2, rescale: false, upgrade: false });
      await run.stopped({ signal: "SIGKILL", afterMs: 150 * random() }, { slots: 2, rescale: false, upgrade: true });
      await run.stopped({ signal: "SIGINT", afterMs: 150 * random() }, { slots: 3, rescale: true, upgrade: false });
      await run.ends({ slots: 2, rescale: false, upgrade: true });
    } catch (error) {
      throw new Error(`${said.join("\n")}\n${(error as Error).message}`, { cause: error });
    }
  }, 90_000);
}

test.run();
