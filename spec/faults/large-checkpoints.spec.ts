// specs: waits
// specs: timeout 120 s
// States above 1 MiB, whose checkpoints slots write to a folder themselves: slots are killed, and others go on from there.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { defineFlow, local } from "../../lib/index.ts";
import {
  assertNothingLeft,
  digestOf,
  hasProcesses,
  makeSpecFolder,
  runWithFaults,
  type FaultedRun,
} from "../kit/faults.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { ticking, type Pace } from "./flows.ts";

const test = suite("faults: large checkpoints elsewhere");
const folder = inSlot ? { path: "", remove: () => {} } : makeSpecFolder("large-checkpoints");
const pace: Pace = { count: 32_000, everyMs: 60 };
const keys = 7001;
const large = 1 << 20;
const textOf = (key: number): string => `key ${key}`.padEnd(2000, ".");

test.after(async () => {
  folder.remove();
  await assertNothingLeft();
});

/** Keeps a long text for each key: each of its two channels has above 1 MiB when a sixth of the stream is read. */
export const keeping = defineFlow(import.meta.url, (q, args: Pace) => ({
  rows: q
    .read("numbers", ticking(args))
    .reduceByKey(
      "keep",
      (n) => n % keys,
      (key) => ({ text: textOf(key), sum: 0 }),
      ({ text, sum }, n) => ({ text, sum: sum + n }),
      { channels: 2 },
    )
    .collect(),
}));

/** Checkpoints that are above 1 MiB. */
function largeOnes(place: string): readonly string[] {
  let names: string[] = [];
  try {
    names = readdirSync(place, { recursive: true }).map(String);
  } catch {
    // There is none yet, or one goes while this looks.
  }
  return names.filter((name) => {
    const entry = statSync(join(place, name), { throwIfNoEntry: false });
    return entry?.isFile() === true && entry.size > large;
  });
}

/** A channel with two of them: the store knows the first, as they are saved one after the other. */
function savedBefore(seen: ReadonlySet<string>): string | undefined {
  // HASH/CHANNEL/...
  const channels = [...seen].map((name) => name.split("/").at(-2) ?? "");
  return channels.find((channel, at) => channels.indexOf(channel) < at);
}

function expected(): string {
  const sums = new Map<number, number>();
  for (let n = 0; n < pace.count; n++) sums.set(n % keys, (sums.get(n % keys) ?? 0) + n);
  return digestOf([...sums].map(([key, sum]) => ({ key, value: { text: textOf(key), sum } })));
}

/** Kills all slots once such checkpoints are there, whose names go to `seen`; the session is closed behind it. */
async function killed(place: string, seen: Set<string>): Promise<FaultedRun<{ rows: unknown[] }>> {
  const store = `lmdb:${join(folder.path, "store")}`;
  const gate = join(folder.path, "gate");
  await using session = await local({
    slots: 2,
    isolation: "process",
    store,
    checkpoints: place,
    checkpointEveryMs: 60,
  });
  return await runWithFaults(keeping, { ...pace, gate }, { on: session, seed: 0, gate }, async (faults) => {
    while (savedBefore(seen) === undefined) {
      // oxlint-disable-next-line no-await-in-loop -- looks again and again
      if (!(await faults.after(5))) return;
      for (const name of largeOnes(place)) seen.add(name);
    }
    faults.hit("all");
    await faults.next("recovered");
  });
}

if (!inSlot && hasProcesses()) {
  test("slots that wrote them are killed: others read them and go on", async () => {
    const place = join(folder.path, "checkpoints");
    const seen = new Set<string>();
    const { outputs, events } = await killed(place, seen);
    assert.is(digestOf(outputs.rows), expected());
    assert.ok(savedBefore(seen) !== undefined, `${seen.size} checkpoints above 1 MiB`);
    const recovered = events.flatMap((event) => (event.kind === "recovered" ? event.channels : []));
    const kept = recovered.filter(({ step }) => step === "keep");
    assert.ok(
      kept.some(({ checkpoint }) => checkpoint >= 0),
      JSON.stringify(kept),
    );
    assert.equal(largeOnes(place), [], "what is done isn't kept");
  }, 60_000);
}

test.run();
