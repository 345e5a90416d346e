// specs: waits
// specs: timeout 900 s
// A cluster of processes on this machine in which something goes wrong every ten seconds, for ten minutes or for as many seconds as
// QSTREAM_SOAK_SECONDS says: each kind of fault once, then each again, in another order. Two executions run at any time; what each
// gives is what one thread gives. QSTREAM_SEED draws other orders.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { QStreamError } from "../../lib/core/errors.ts";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { note } from "../kit/note.ts";
import { hasRedisServer, startRedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsAndJoin } from "./fault-flows.ts";
import { ClusterFaults } from "./soak-faults.ts";

const test = suite("soak: a cluster");

type Outputs = Awaited<ReturnType<typeof sumsAndJoin.run>>;
const seconds = Number(process.env["QSTREAM_SOAK_SECONDS"] ?? 600);
const seed = Number(process.env["QSTREAM_SEED"] ?? 1);
const faultEveryMs = 10_000;
// Long enough for a machine that has more to do than it can.
const leaseMs = 5000;
const executionsAtOnce = 2;
const random = seededRandom(seed);

if (!inSlot && (await hasRedisServer())) {
  test(
    "outputs are right whatever goes wrong, and nothing is left behind",
    async () => {
      // Whoever has it in its environment was started from here.
      const folder = await mkdtemp(join(tmpdir(), "qstream-cluster-soak-"));
      process.env["TMPDIR"] = folder;
      const redis = await startRedisServer({ appendOnly: true });
      const machines = await LoopbackCluster.start({ store: redis.url, machines: 0, heads: 2, leaseMs });
      const faults = new ClusterFaults({ machines, redis, leaseMs }, random);
      try {
        await Promise.all([faults.addMachine(), faults.addMachine(), faults.addMachine()]);
        await soak(machines.heads.map(({ url }) => url).join(), faults);
      } finally {
        await machines.stop();
        await faults.close();
        await redis.stop();
        await nothingRuns(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
      }
    },
    (seconds + 240) * 1000,
  );
}

/** Runs executions one after the other, some side by side, while faults happen. */
async function soak(url: string, faults: ClusterFaults): Promise<void> {
  const pace = { count: 60_000, everyMs: 80 };
  const expected = ordered(await sumsAndJoin.run({ ...pace, everyMs: 0 }, { slots: 1 }));
  const ended = new AbortController();
  const until = performance.now() + seconds * 1000;
  let [runs, recovered] = [0, 0];
  const runAgainAndAgain = async (): Promise<void> => {
    await using session = await cluster({ url, leaseMs });
    while (performance.now() < until && !ended.signal.aborted) {
      const onEvent = ({ kind }: { readonly kind: string }): void => void (kind === "recovered" && recovered++);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const execution = await whileNobodyLeads(() => sumsAndJoin.start(pace, { on: session, onEvent }));
      // oxlint-disable-next-line no-await-in-loop -- see above
      assert.equal(ordered(await execution.outputs), expected);
      runs++;
    }
  };
  const struck = strike(faults, ended.signal);
  try {
    await Promise.race([Promise.all(Array.from({ length: executionsAtOnce }, runAgainAndAgain)), struck]);
  } finally {
    ended.abort();
    const happened = await struck;
    note(`seed ${seed}: ${runs} runs, ${recovered} recoveries, ${happened.length} faults: ${happened.join(", ")}`);
  }
  assert.ok(recovered > 0, "nothing was recovered");
}

/** What can't be asked before a head leads again is asked then. */
async function whileNobodyLeads<T>(ask: () => Promise<T>): Promise<T> {
  for (let turn = 0; ; turn++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until it is answered
      return await ask();
    } catch (error) {
      if (!(error instanceof QStreamError) || error.code !== "MACHINE_UNREACHABLE" || turn >= 300) throw error;
      // oxlint-disable-next-line no-await-in-loop -- see above
      await wait(100);
    }
  }
}

/** Lets something happen every ten seconds until it is told to end: each kind in turn. Gives what happened. */
async function strike({ kinds }: ClusterFaults, ended: AbortSignal): Promise<readonly string[]> {
  const happened: string[] = [];
  let due = performance.now();
  for (;;) {
    for (const kind of shuffled(Object.keys(kinds))) {
      due = Math.max(due + faultEveryMs, performance.now());
      // oxlint-disable-next-line no-await-in-loop -- one fault after the other
      await wait(due - performance.now(), undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) return happened;
      happened.push(kind);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await kinds[kind]?.();
    }
  }
}

function shuffled<T>(of: readonly T[]): T[] {
  const places = of.map((one) => ({ one, place: random() }));
  return places.toSorted((left, right) => left.place - right.place).map(({ one }) => one);
}

function ordered({ sums, joined }: Outputs): Outputs {
  return { sums: multiset(sums), joined: multiset(joined) };
}

/** No process that was started from here runs any more. Those of a head that is killed have a moment to find that out. */
async function nothingRuns(folder: string): Promise<void> {
  if (process.platform !== "linux") return;
  let left: readonly string[] = [];
  for (let turn = 0; turn < 50; turn++) {
    left = readdirSync("/proc").filter((id) => /^\d+$/u.test(id) && wasStartedWith(id, folder));
    if (left.length === 0) return;
    // oxlint-disable-next-line no-await-in-loop -- it waits
    await wait(100);
  }
  assert.unreachable(`processes were left behind: ${left.join()}`);
}

function wasStartedWith(id: string, folder: string): boolean {
  if (Number(id) === process.pid) return false;
  try {
    // The bundler's process ends with this one.
    if (readFileSync(join("/proc", id, "cmdline"), "utf8").includes("esbuild")) return false;
    return readFileSync(join("/proc", id, "environ"), "utf8").includes(folder);
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}

test.run();
