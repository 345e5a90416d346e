// specs: timeout 180 s
// kill -9 of slots' processes at times drawn from seeds: what comes out is what comes out without. More seeds are in the soak.

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defineFlow, local, parquet, type Flow, type Session } from "../../lib/index.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  type FaultedRun,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { diamond, hashJoin, keyedSum, limited, severalSinks, sorted, type Pace } from "./flows.ts";
import { scripts, type ScriptName } from "./scripts.ts";

const test = suite("faults: kill -9 of process slots");
const pace: Pace = { count: 24_000, everyMs: 8 };
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("faults");
let session: Session;

test.before(async () => {
  const store = `lmdb:${folder.path}/store`;
  session = await local({ slots: 2, isolation: "process", store, checkpointEveryMs: 80 });
});

test.after(async () => {
  await session.close();
  folder.remove();
  await assertNothingLeft();
});

/** Runs a flow with a fault, in the session whose slots other runs have killed before. */
function harm<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
  seed: number,
  script: ScriptName,
): Promise<FaultedRun<Outs>> {
  return runWithFaults(flow, args, { on: session, seed }, scripts[script]);
}

function undisturbed<Args extends object, Outs extends Record<string, unknown>>(
  flow: Flow<Args, Outs>,
  args: Args,
): Promise<Outs> {
  return (flow.run as (args: Args, options: object) => Promise<Outs>)({ ...args, everyMs: 0 }, { on: session });
}

/** A flow whose one output is the same whenever it runs, but for the order. */
function confluent<Outs extends Record<string, readonly unknown[]>>(
  name: string,
  flow: Flow<Pace, Outs>,
  seeds: Readonly<Partial<Record<ScriptName, number>>>,
): void {
  test(`${name}: the result is the same`, async () => {
    const expected = digestOf(Object.values(await undisturbed(flow, pace))[0] ?? []);
    let recoveries = 0;
    for (const [script, seed] of Object.entries(seeds) as [ScriptName, number][]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, for the same slots
      const run = await harm(flow, pace, seed, script);
      recoveries += run.recoveries;
      assert.is(digestOf(Object.values(run.outputs)[0] ?? []), expected, `seed ${seed}, ${script}`);
    }
    assert.ok(recoveries > 0, "no fault hit a run");
  }, 90_000);
}

if (!inSlot && hasProcesses()) {
  confluent("keyed sum", keyedSum, {
    "one slot": 1,
    "one slot, and one more at any time after that": 2,
    "one slot, and another one during recovery": 3,
  });
  confluent("join with stages", hashJoin, { "one slot": 4, "all slots at the same moment": 5 });
  confluent("sort", sorted, { "all slots, then one of those that took their place": 6 });
  confluent("diamond", diamond, { "one slot": 7, "one slot, and one more at any time after that": 8 });

  test("sort: rows are in order", async () => {
    const { outputs } = await harm(sorted, pace, 9, "one slot");
    const { rows } = await undisturbed(sorted, pace);
    assert.equal(outputs.rows, rows);
  });

  test("a limit ends early, with as many objects of the stream as it says", async () => {
    const { outputs } = await harm(limited, { ...pace, most: 15_000 }, 10, "one slot");
    assert.is(outputs.rows.length, 15_000);
    assert.is(new Set(outputs.rows).size, 15_000, "objects came twice");
    assert.ok(outputs.rows.every((n) => Number.isInteger(n) && n >= 0 && n < pace.count));
  });

  for (const [script, seed] of [
    ["one slot", 11],
    ["all slots, then one of those that took their place", 12],
  ] as const) {
    test(`several sinks, files among them, hold each row once (${script})`, async () => {
      const target = join(folder.path, `files-${seed}`);
      const { outputs } = await harm(severalSinks, { ...pace, folder: target }, seed, script);
      const why = `seed ${seed}`;
      assert.equal(outputs.count, [pace.count], why);
      assert.equal(
        outputs.largest,
        [0, 1, 2, 3, 4].map((n) => pace.count - 1 - n),
        why,
      );
      assert.is(outputs.odd.length, pace.count / 1000, why);
      const expected = digestOf(Array.from({ length: pace.count }, (_, n) => ({ n, text: `row ${n}` })));
      assert.is(digestOf(await csvRows(join(target, "csv"))), expected, `${why}: CSV`);
      assert.is(digestOf(await parquetRows(join(target, "parquet"))), expected, `${why}: Parquet`);
      // Nothing that a lost life had begun, and no mark of the execution.
      for (const format of ["csv", "parquet"]) {
        assert.equal(
          filesOf(join(target, format)).filter((name) => !new RegExp(`^part-[^/]*\\.${format}$`).test(name)),
          [],
        );
      }
    }, 60_000);
  }
}

const read = defineFlow(import.meta.url, (q, args: { readonly path: string }) => ({
  rows: q.read("rows", parquet(args.path)).collect(),
}));

async function parquetRows(path: string): Promise<readonly unknown[]> {
  const { rows } = await read.run({ path: `${path}/*.parquet` }, { on: session });
  return rows.map(({ n, text }) => ({ n: Number(n), text }));
}

async function csvRows(path: string): Promise<readonly unknown[]> {
  const texts = await Promise.all(filesOf(path).map((name) => readFile(join(path, name), "utf8")));
  return texts.flatMap((text) => {
    const [header, ...lines] = text.split("\n");
    assert.is(header, "n,text");
    assert.is(lines.pop(), "", "a file ends in the middle of a line");
    return lines.map((line) => ({ n: Number(line.split(",")[0]), text: line.split(",")[1] }));
  });
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true }).map(String);
}

test.run();
