import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { local, type ExecutionEvent, type ExecutionMetrics, type Session } from "qstream";
import { heavyState, type GroupsDigest } from "../flows/heavy-state.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round } from "../harness/contest.ts";
import { watchCheckpointSizes } from "../harness/kept-checkpoints.ts";
import { assertPassed } from "../harness/links.ts";
import { processOfSlot } from "../harness/slot-processes.ts";
import { StoreFolder } from "../harness/stores.ts";

const work = { kept: 192, passing: 288, everyMs: 0 };
const warmingWork = { kept: 24, passing: 36, everyMs: 0 };
const slots = 3;
const rounds = 3;
/** Both stateful steps, in each channel. */
const stateBytesMin = 200e6;

export const benchmark: Benchmark = {
  name: "recovery-vs-restart",
  workload:
    "a join and a keyed aggregate with 200 MB of state and more a channel on 3 process slots, one of them killed at half of the way; against a run that starts again there (1.5 times an undisturbed one)",
  bar: { atMost: 0.85 },
  unit: "x",
  measure,
};

interface Run {
  readonly ms: number;
  readonly result: GroupsDigest;
  readonly metrics: ExecutionMetrics | undefined;
  readonly events: readonly ExecutionEvent[];
}

async function measure(): Promise<Measured> {
  using folder = new StoreFolder();
  await using session = await local({ slots, isolation: "process", store: folder.url });
  await run(session, { seed: 99, ...warmingWork });
  const undisturbed: number[] = [];
  const disturbed: number[] = [];
  let replayed = "";
  let sizes = "";
  for (let seed = 1; seed <= rounds; seed++) {
    const watch = watchCheckpointSizes(folder.path);
    const whole = await run(session, { seed, ...work });
    sizes = sizesOf(watch.stop());
    const killed = await run(session, { seed, ...work }, whole.ms / 2);
    if (!isDeepStrictEqual(killed.result, whole.result)) throw new Error(`round ${seed} had another result`);
    undisturbed.push(whole.ms);
    disturbed.push(killed.ms);
    replayed = describeReplay(killed);
  }
  const restarted = 1.5 * median(undisturbed);
  return {
    value: median(disturbed) / restarted,
    details: {
      ours: `${round(median(disturbed))} ms`,
      peer: `${round(restarted)} ms`,
      state: sizes,
      replayed,
      ourRounds: disturbed.map(round).join(" "),
      undisturbedRounds: undisturbed.map(round).join(" "),
    },
  };
}

/** Runs the flow; kills one slot after a time. */
async function run(session: Session, args: Parameters<typeof heavyState.start>[0], killAfterMs?: number): Promise<Run> {
  const events: ExecutionEvent[] = [];
  const living = session.slots.filter((slot) => !session.lostSlots.has(slot));
  const from = performance.now();
  const execution = await heavyState.start(args, { on: session, onEvent: (event) => void events.push(event) });
  if (killAfterMs !== undefined) void killSoon(living[1] ?? "", killAfterMs - (performance.now() - from));
  const { digests } = await execution.outputs;
  const ms = performance.now() - from;
  if (killAfterMs === undefined) assertPassed(execution.metrics, { from: "join", to: "groups" });
  const result = digests.reduce((left, right) => ({
    groups: left.groups + right.groups,
    rows: left.rows + right.rows,
    digest: left.digest + right.digest,
  }));
  return { ms, result, metrics: execution.metrics, events };
}

async function killSoon(slot: string, ms: number): Promise<void> {
  await sleep(ms);
  process.kill(processOfSlot(slot), "SIGKILL");
}

/** How many tasks each channel ran again. One that lost nothing ran none. */
function describeReplay({ metrics, events }: Run): string {
  const recovered = events.flatMap((event) => (event.kind === "recovered" ? event.channels : []));
  if (recovered.length === 0) throw new Error("the slot was killed after the end");
  const lost = new Set(recovered.map(({ step, channel }) => `${step}.${channel}`));
  const replayed = (metrics?.channels ?? []).filter((one) => one.metrics.tasksReplayed > 0);
  const innocent = replayed.filter(({ step, channel }) => !lost.has(`${step}.${channel}`));
  if (innocent.length > 0)
    throw new Error(`${innocent.map(({ step }) => step).join()} lost nothing, and ran tasks again`);
  const all = replayed.map(({ step, channel, metrics: { tasksReplayed, tasks } }) => {
    return `${step}.${channel} ${tasksReplayed} of ${tasks}`;
  });
  return `${all.join(", ")}; of ${lost.size} channels that were lost`;
}

/** The largest checkpoint of each channel that has a large state. */
function sizesOf(largest: ReadonlyMap<number, number>): string {
  const large = [...largest].filter(([, bytes]) => bytes >= stateBytesMin);
  if (large.length < slots) throw new Error(`only ${large.length} channels had ${stateBytesMin} bytes of state`);
  return large.map(([channel, bytes]) => `channel ${channel} ${round(bytes / 1e6)} MB`).join(", ");
}
