// specs: timeout 120 s
import * as assert from "uvu/assert";
import { QStreamError } from "../../../../lib/core/errors.ts";
import { multiset } from "../../../../lib/testing/multiset.ts";
import { checkSeeds } from "../../../../lib/testing/simulation/check-seeds.ts";
import { passingFaults } from "../../../../lib/testing/simulation/faults.ts";
import { simulate } from "../../../../lib/testing/simulation/simulate.ts";
import { suite } from "../../../kit/suite.ts";
import { expectedRemainders, tenChannels } from "./ten-channels.ts";

const test = suite("simulate");

const args = { upTo: 600, keys: 40 };
const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0 };

test("a simulated run gives what a real one does", async () => {
  const { outputs, error, events, virtualMs, leftBehind } = await simulate(tenChannels, args, { seed: 1, limits });
  assert.is(error, undefined);
  assert.equal(multiset(outputs?.remainders ?? []), multiset(expectedRemainders(args.upTo, args.keys)));
  assert.ok(events > 100 && virtualMs > 1);
  assert.equal(leftBehind, []);
});

test("the same seed gives the same trace, another seed another", async () => {
  const traceOf = async (seed: number): Promise<string> => {
    const { trace, error } = await simulate(tenChannels, args, { seed, limits, faults: passingFaults });
    assert.is(error, undefined);
    return trace.toString();
  };
  for (const seed of [3, 4, 5]) assert.is(await traceOf(seed), await traceOf(seed));
  assert.is.not(await traceOf(3), await traceOf(4));
});

test("500 seeds with faults that pass give the same outputs", async () => {
  const seeds = 500;
  const checked = await checkSeeds(tenChannels, args, { seeds, limits, faults: passingFaults, store: "none" });
  const { failure, faults, events, tasks, elapsedMs } = checked;
  assert.is(failure, undefined, `${failure?.reason}\n${failure?.command}\n${failure?.report.trace.toString()}`);
  assert.is(checked.seeds, seeds);
  for (const kind of passingFaults) assert.ok((faults[kind] ?? 0) > 10, `${kind} struck ${faults[kind]} times`);
  if (process.env["QSTREAM_MEASURE"] === undefined) return;
  console.log(`${Math.round((seeds / elapsedMs) * 1000)} executions a second`, { events, tasks, faults });
});

test("an execution that the store forgot, all of it, isn't gone on with, and its end says so", async () => {
  const ends = new Set<string | undefined>();
  for (let seed = 0; seed < 300; seed++) {
    // oxlint-disable-next-line no-await-in-loop -- one world at a time
    const { error } = await simulate(
      tenChannels,
      { upTo: 40, keys: 5 },
      {
        seed,
        limits,
        faults: ["restart", "store-forgets"],
        faultsWithinMs: 8,
      },
    );
    if (error !== undefined) ends.add(error instanceof QStreamError ? error.code : error.stack);
  }
  assert.ok(ends.has("EXECUTION_UNKNOWN"), [...ends].join(", "));
  for (const end of ends)
    assert.ok(["EXECUTION_UNKNOWN", "EXECUTION_TAKEN", "LINEAGE_REGRESSED", "STORE_LOST"].includes(end ?? ""), end);
});

test.run();
