// specs: waits
// specs: timeout 900 s
// A cluster of processes on this machine in which something goes wrong every ten seconds, for ten minutes or for as many seconds as
// QSTREAM_SOAK_SECONDS says. Two executions run at any time; what each gives is what one thread gives. QSTREAM_SEED draws other
// faults.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as assert from "uvu/assert";
import { seededRandom } from "../../lib/core/seam/random.ts";
import { cluster } from "../../lib/index.ts";
import { LoopbackCluster } from "../../lib/testing/loopback-cluster.ts";
import { multiset } from "../../lib/testing/multiset.ts";
import { hasRedisServer, startRedisServer, type RedisServer } from "../kit/redis-server.ts";
import { inSlot, suite } from "../kit/suite.ts";
import { sumsAndJoin } from "./fault-flows.ts";

const test = suite("soak: a cluster");

type Outputs = Awaited<ReturnType<typeof sumsAndJoin.run>>;
const seconds = Number(process.env["QSTREAM_SOAK_SECONDS"] ?? 600);
const seed = Number(process.env["QSTREAM_SEED"] ?? 1);
const faultEveryMs = 10_000;
// Long enough for a machine that has more to do than it can.
const leaseMs = 5000;
const executionsAtOnce = 2;

if (!inSlot && (await hasRedisServer())) {
  test(
    "outputs are right whatever goes wrong, and nothing is left behind",
    async () => {
      // Whoever has it in its environment was started from here.
      const folder = await mkdtemp(join(tmpdir(), "qstream-cluster-soak-"));
      process.env["TMPDIR"] = folder;
      const redis = await startRedisServer({ appendOnly: true });
      const machines = await LoopbackCluster.start({ store: redis.url, machines: 3, leaseMs });
      try {
        await soak(machines, redis);
      } finally {
        await machines.stop();
        await redis.stop();
        await nothingRuns(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
      }
    },
    (seconds + 240) * 1000,
  );
}

/** Runs executions one after the other, some side by side, while faults happen. */
async function soak(machines: LoopbackCluster, redis: RedisServer): Promise<void> {
  const pace = { count: 60_000, everyMs: 80 };
  const expected = ordered(await sumsAndJoin.run({ ...pace, everyMs: 0 }, { slots: 1 }));
  const ended = new AbortController();
  const until = performance.now() + seconds * 1000;
  let [runs, recovered] = [0, 0];
  const runAgainAndAgain = async (): Promise<void> => {
    await using session = await cluster({ url: machines.url });
    while (performance.now() < until && !ended.signal.aborted) {
      const kinds: string[] = [];
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const outputs = await sumsAndJoin.run(pace, { on: session, onEvent: ({ kind }) => void kinds.push(kind) });
      assert.equal(ordered(outputs), expected);
      runs++;
      recovered += kinds.filter((kind) => kind === "recovered").length;
    }
  };
  const faults = makeFaults(machines, redis, ended.signal);
  try {
    await Promise.race([Promise.all(Array.from({ length: executionsAtOnce }, runAgainAndAgain)), faults]);
  } finally {
    ended.abort();
    const happened = await faults;
    console.log(`seed ${seed}: ${runs} runs, ${recovered} recoveries; ${happened.join(", ")}`);
  }
  assert.ok(recovered > 0, "nothing was recovered");
}

/** Lets something happen again and again until it is told to end. Gives what happened. */
async function makeFaults(
  machines: LoopbackCluster,
  redis: RedisServer,
  ended: AbortSignal,
): Promise<readonly string[]> {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const paused = async (id: string, ms: number): Promise<void> => {
    const worker = machines.machines.find((one) => one.id === id);
    worker?.pause();
    await wait(ms);
    worker?.resume();
  };
  const happened: string[] = [];
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    "a worker killed": async () => {
      const { id } = pick(machines.machines);
      await replaced(machines, id);
    },
    "two workers killed": async () => {
      await Promise.all(machines.machines.slice(0, 2).map(async ({ id }) => replaced(machines, id)));
    },
    "a worker paused": () => paused(pick(machines.machines).id, leaseMs / 3),
    "a worker paused beyond its lease": () => paused(pick(machines.machines).id, 2 * leaseMs),
    "Redis killed": async () => {
      await redis.kill();
      await wait(500);
      await redis.restart();
    },
    "Redis paused": async () => {
      redis.pause();
      await wait(1000);
      redis.resume();
    },
  };
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one fault after the other
    await wait(faultEveryMs, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return happened;
    const name = pick(Object.keys(faults));
    happened.push(name);
    // oxlint-disable-next-line no-await-in-loop -- see above
    await faults[name]?.();
  }
}

async function replaced(machines: LoopbackCluster, id: string): Promise<void> {
  const at = machines.machines.findIndex((one) => one.id === id);
  const [worker] = machines.machines.splice(at, 1);
  await worker?.kill();
  await machines.addMachine();
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
