// specs: timeout 3600 s
// kill -9 of slots' processes, for as long as QSTREAM_SOAK_SECONDS says (60 unless told), from the seed that QSTREAM_SOAK_SEED
// says on: the flows and faults of process-slots.spec.ts.

import * as assert from "uvu/assert";
import { local, type Flow, type Session } from "../../lib/index.ts";
import { assertNothingLeft, digestOf, hasProcesses, makeSpecFolder, runWithFaults } from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { counted, diamond, hashJoin, keyedSum, sorted, type Pace } from "./flows.ts";
import { scripts } from "./scripts.ts";

const test = suite("faults: kill -9 of process slots, again and again");
const seconds = Number(process.env["QSTREAM_SOAK_SECONDS"] ?? 60);
const firstSeed = Number(process.env["QSTREAM_SOAK_SEED"] ?? 1);
const pace: Pace = { count: 24_000, everyMs: 8 };

if (!inSlot && hasProcesses()) {
  test("what comes out is what comes out without faults", soak, seconds * 1000 + 120_000);
}

async function soak(): Promise<void> {
  const folder = makeSpecFolder("soak-faults");
  const flows = { keyedSum, hashJoin, sorted, diamond, counted } as Readonly<
    Record<string, Flow<Pace, Record<string, unknown>>>
  >;
  const expected = new Map<string, string>();
  const rowsOf = (outputs: object): readonly unknown[] => Object.values(outputs)[0] as readonly unknown[];
  const deadline = performance.now() + seconds * 1000;
  let session: Session | undefined;
  let runs = 0;
  let recoveries = 0;
  try {
    for (let seed = firstSeed; performance.now() < deadline; seed++) {
      // A session that lives long has slots that have lived long: every so often there is a new one, with another number of slots.
      if ((seed - firstSeed) % 20 === 0) {
        await session?.close();
        const store = seed % 40 < 20 ? "memory" : `lmdb:${folder.path}/store`;
        session = await local({
          slots: 2 + (seed % 3),
          isolation: "process",
          store,
          checkpointEveryMs: 50 + (seed % 5) * 50,
        });
      }
      const on = session as Session;
      for (const [name, flow] of Object.entries(flows)) {
        if (!expected.has(name)) {
          const { outputs } = await runWithFaults(flow, pace, { on, seed: 0 }, async () => {});
          expected.set(name, digestOf(rowsOf(outputs)));
        }
        const named = Object.entries(scripts);
        const [what, script] = named[(seed + name.length) % named.length] ?? ["", scripts["one slot"]];
        const run = await runWithFaults(flow, pace, { on, seed }, script);
        assert.is(digestOf(rowsOf(run.outputs)), expected.get(name), `${name}, seed ${seed}, ${what}`);
        runs++;
        recoveries += run.recoveries;
      }
    }
  } finally {
    await session?.close();
    folder.remove();
  }
  console.log(`${runs} runs, ${recoveries} recoveries`);
  await assertNothingLeft();
}

test.run();
