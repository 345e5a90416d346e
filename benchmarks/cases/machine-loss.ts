import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterSession, ExecutionEvent } from "qstream";
import { heavyState, type GroupsDigest } from "../flows/heavy-state.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startCluster, type BenchmarkCluster } from "../harness/cluster.ts";
import { median, round } from "../harness/contest.ts";
import { assertPassed } from "../harness/links.ts";

// State that two workers can keep in Redis: beyond 64 MiB a checkpoint has to go elsewhere.
const work = { kept: 24, passing: 240, everyMs: 0 };
const warmingWork = { kept: 12, passing: 24, everyMs: 0 };
const machines = 3;
/** A machine that is killed is missed after that. */
const leaseMs = 2000;
const rounds = 3;

export const benchmark: Benchmark = {
  name: "machine-loss",
  workload:
    "a join and a keyed aggregate on three workers, one of them killed at half of the way; against a run that starts again there (1.5 times an undisturbed one)",
  bar: { atMost: 0.9 },
  unit: "x",
  measure,
};

interface Run {
  readonly ms: number;
  readonly result: GroupsDigest;
  readonly events: readonly ExecutionEvent[];
}

async function measure(): Promise<Measured> {
  await using cluster = await startCluster({ machines, leaseMs });
  await using session = await cluster.session();
  await run(session, { seed: 99, ...warmingWork });
  const undisturbed: number[] = [];
  const disturbed: number[] = [];
  let recovered = "";
  for (let seed = 1; seed <= rounds; seed++) {
    const whole = await run(session, { seed, ...work });
    const killed = await run(session, { seed, ...work }, () => killSoon(cluster, whole.ms / 2));
    if (!isDeepStrictEqual(killed.result, whole.result)) throw new Error(`round ${seed} had another result`);
    undisturbed.push(whole.ms);
    disturbed.push(killed.ms);
    recovered = recoveryOf(killed);
    // The next round has three again, each with warm code.
    await cluster.machines.addMachine();
    await run(session, { seed: 99 + seed, ...warmingWork });
  }
  const restarted = 1.5 * median(undisturbed);
  return {
    value: median(disturbed) / restarted,
    details: {
      ours: `${round(median(disturbed))} ms`,
      peer: `${round(restarted)} ms`,
      recovered,
      ourRounds: disturbed.map(round).join(" "),
      undisturbedRounds: undisturbed.map(round).join(" "),
    },
  };
}

/** Runs the flow, and does something else meanwhile. */
async function run(
  session: ClusterSession,
  args: Parameters<typeof heavyState.start>[0],
  meanwhile?: () => Promise<void>,
): Promise<Run> {
  const events: ExecutionEvent[] = [];
  const from = performance.now();
  const disturbing = meanwhile?.();
  const execution = await heavyState.start(args, { on: session, onEvent: (event) => void events.push(event) });
  const { digests } = await execution.outputs;
  const ms = performance.now() - from;
  await disturbing;
  if (meanwhile === undefined) assertPassed(execution.metrics, { from: "join", to: "groups" });
  const result = digests.reduce((left, right) => ({
    groups: left.groups + right.groups,
    rows: left.rows + right.rows,
    digest: left.digest + right.digest,
  }));
  return { ms, result, events };
}

async function killSoon(cluster: BenchmarkCluster, ms: number): Promise<void> {
  await sleep(ms);
  await cluster.machines.machines.shift()?.kill();
}

function recoveryOf({ events }: Run): string {
  const lost = events.flatMap((event) => (event.kind === "recovered" ? event.channels : []));
  if (lost.length === 0) throw new Error("the machine was killed after the end");
  return lost.map(({ step, channel }) => `${step}.${channel}`).join(", ");
}
