import * as assert from "uvu/assert";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { excusedErrors, faultKinds, simulate, survivableFaults } from "../../../../lib/testing/simulation/index.ts";
import { suite } from "../../../kit/suite.ts";
import { tenChannels } from "./ten-channels.ts";

const test = suite("errors that faults excuse");
const once = (kinds: readonly string[]): Record<string, number> => Object.fromEntries(kinds.map((kind) => [kind, 1]));

test("faults that an execution survives excuse none, and no fault a defect of ours", () => {
  assert.equal(excusedErrors(once(survivableFaults)), []);
  assert.equal(excusedErrors({}), []);
  const all = excusedErrors(once(faultKinds));
  assert.ok(all.length > 0);
  for (const code of ["INTERNAL", "DEADLOCK", "NONDETERMINISTIC"] as const) assert.not(all.includes(code), code);
});

test("an error is excused by the faults of its own kind only", () => {
  assert.ok(excusedErrors({ "store-forgets": 2, kill: 1 }).includes("LINEAGE_REGRESSED"));
  assert.not(excusedErrors({ "disk-broken": 1, hang: 1 }).includes("LINEAGE_REGRESSED"));
  assert.not(excusedErrors({ "store-forgets": 1 }).includes("STEP_FAILED"));
});

test("a task that hangs has failed, and as often as it may, the execution has: that is excused", async () => {
  let failed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const options = { seed, faults: ["hang"], attempts: 1, limits: { parcelObjects: 16 } } as const;
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { error, faults } = await simulate(tenChannels, { upTo: 200, keys: 10 }, options);
    if (error === undefined) continue;
    assert.ok(error instanceof QStreamError && excusedErrors(faults).includes(error.code), String(error));
    failed++;
  }
  assert.ok(failed > 5, `${failed} failed`);
});

test.run();
