// specs: timeout 240 s
// Sessions opened and closed many times over, with executions that succeed, fail, and are stopped: no thread, process, open
// file, temporary file or listener is left behind, and memory doesn't grow with their number.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { defineFlow, local, numbers, type Isolation, type Session } from "../../lib/index.ts";
import { failure } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { ownTemporaryFolder } from "./temporary-folder.ts";

const test = suite("sessions opened and closed");
const temporary = ownTemporaryFolder();
test.after(() => temporary.remove());

const flow = defineFlow(import.meta.url, (q, { upTo, failAt }: { upTo: number; failAt: number }) => {
  const rows = q.read("numbers", numbers(0, upTo)).map("row", (n) => {
    if (n === failAt) throw new Error("not today");
    return { key: n % 97, n, text: `number ${n}` };
  });
  const sorted = rows.sort("sort", "n", { memoryBytes: 20_000 });
  return {
    sums: rows
      .reduceByKey(
        "sums",
        (row) => row.key,
        () => 0,
        (sum, { n }) => sum + n,
      )
      .collect(),
    sorted: sorted.count("sorted").collect(),
    kept: rows.dataset(),
  };
});

async function useSession(on: Session): Promise<void> {
  const { sums, sorted, kept } = await flow.run({ upTo: 3000, failAt: -1 }, { on });
  assert.is(sums.length, 97);
  assert.equal(sorted, [3000]);
  assert.is(kept.rows, 3000);
  await failure(() => flow.run({ upTo: 3000, failAt: 2500 }, { on }), "STEP_FAILED");
  const abort = new AbortController();
  const running = flow.run({ upTo: 1e12, failAt: -1 }, { on, signal: abort.signal });
  running.catch(() => {});
  await wait(20);
  abort.abort();
  await failure(() => running, "ABORTED");
  // Closed while something runs, and with a dataset that nobody released.
  const last = await flow.start({ upTo: 1e12, failAt: -1 }, { on });
  last.outputs.catch(() => {});
}

interface Held {
  readonly threads: number;
  readonly files: number;
  readonly children: number;
  readonly folders: number;
  readonly resources: number;
}

/** What this process holds now. */
function held(): Held {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  return {
    threads: readdirSync("/proc/self/task").length,
    files: readdirSync("/proc/self/fd").length,
    children: children.length,
    folders: temporary.entries().length,
    resources: process.getActiveResourcesInfo().length,
  };
}

/** Ended threads and processes may take a moment to be gone. */
async function settled(wanted: Held): Promise<Held> {
  for (let tries = 0; tries < 100; tries++) {
    const now = held();
    if (Object.entries(wanted).every(([name, most]) => now[name as keyof Held] <= most)) return now;
    await wait(50);
  }
  return held();
}

const rounds = { none: 150, thread: 80, process: 40 } as const;

for (const isolation of ["none", "thread", "process"] as const satisfies readonly Isolation[]) {
  test(`${rounds[isolation]} sessions of isolation ${isolation} leave nothing behind`, async () => {
    if (!existsSync("/proc/self/task")) return;
    const round = async (): Promise<void> => {
      await using on = await local({ slots: 2, isolation });
      await useSession(on);
    };
    for (let warm = 0; warm < 5; warm++) await round();
    globalThis.gc?.();
    const before = await settled(held());
    const memory = process.memoryUsage.rss();
    for (let count = 0; count < rounds[isolation]; count++) await round();
    const after = await settled(before);
    for (const [name, most] of Object.entries(before)) {
      assert.ok(after[name as keyof Held] <= most, `${name}: ${after[name as keyof Held]} after, ${most} before`);
    }
    const grown = (process.memoryUsage.rss() - memory) / 2 ** 20;
    assert.ok(grown < 150, `memory grew by ${Math.round(grown)} MiB`);
  }, 120_000);
}

test("a session serves a thousand executions and holds no more than after the first ones", async () => {
  await using on = await local({ slots: 2, isolation: "thread" });
  const round = async (): Promise<void> => {
    const { kept } = await flow.run({ upTo: 300, failAt: -1 }, { on });
    kept.release();
  };
  for (let warm = 0; warm < 100; warm++) await round();
  const before = await settled(held());
  const memory = process.memoryUsage.rss();
  for (let count = 0; count < 1000; count++) await round();
  const after = await settled(before);
  for (const [name, most] of Object.entries(before)) {
    assert.ok(after[name as keyof Held] <= most, `${name}: ${after[name as keyof Held]} after, ${most} before`);
  }
  const grown = (process.memoryUsage.rss() - memory) / 2 ** 20;
  assert.ok(grown < 150, `memory grew by ${Math.round(grown)} MiB`);
}, 60_000);

test.run();
