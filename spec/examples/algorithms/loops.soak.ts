// Examples whose flows are loops, over much drawn data and under many faults.
import * as assert from "uvu/assert";
import { note } from "../../kit/note.ts";
import { suite } from "../../kit/suite.ts";
import { loopExamples } from "./loop-examples.ts";

const test = suite("examples that are loops, for long");
const folder = new URL("../../../examples/algorithms/", import.meta.url);
const runs = 300;
const seeds = 60;

for (const { module, onDrawnData, underFaults } of loopExamples) {
  test(`${module}: ${runs} times drawn data`, async () => {
    const { default: flow } = (await import(`${folder.href}${module}.js`)) as { default: unknown };
    await onDrawnData(flow, runs);
  }, 120_000);

  for (const [at, check] of underFaults.entries()) {
    test(`${module}: ${seeds} seeds of lost slots, way ${at}`, async () => {
      const options = { seeds, faults: ["kill"], faultsMax: 2, checkpointEveryMs: 5 } as const;
      const { failure, faults, tasks } = await check(options);
      assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}`);
      note(`${module}: ${faults.kill ?? 0} slots were lost in ${tasks} tasks`);
    }, 120_000);
  }
}

test.run();
