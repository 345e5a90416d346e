import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { startActors } from "qstream";
import { account, accounts, burst } from "./durable-accounts.ts";
import type { Measured } from "./benchmark.ts";
import type { DurableReport } from "./durable-load.ts";
import { median, round } from "./contest.ts";

const seconds = 6;
const afterMs = 700;

/**
 * Transitions a second of durable actors on a store, in a process that is killed by SIGKILL afterwards. Then all actors are read back, and
 * have to have all that was answered, in order and once.
 */
export async function measureDurable(stores: readonly string[]): Promise<Measured> {
  const runs: Run[] = [];
  for (const store of stores) runs.push(await runOne(store));
  const value = median(runs.map(({ perSecond }) => perSecond));
  const list = (of: (run: Run) => number): string => runs.map((run) => round(of(run))).join(" ");
  return {
    value,
    details: {
      ours: `${round(value)} transitions a second of ${accounts} actors`,
      ourRounds: list(({ perSecond }) => perSecond),
      p50: `${list(({ p50Ms }) => p50Ms)} ms from a message to its answer, with ${accounts * burst} on their way`,
      p99: `${list(({ p99Ms }) => p99Ms)} ms`,
      verified: `${list(({ transitions }) => transitions)} transitions after kill -9, read back in ${list(({ readMs }) => readMs)} ms`,
    },
  };
}

interface Run {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly transitions: number;
  readonly readMs: number;
}

async function runOne(store: string): Promise<Run> {
  const child = fork(new URL("./durable-load.js", import.meta.url), [store, String(seconds)]);
  let answered: readonly number[] = [];
  const measured = new Promise<NonNullable<DurableReport["measured"]>>((resolve, reject) => {
    child.on("message", (report: DurableReport) => {
      ({ answered } = report);
      if (report.measured !== undefined) resolve(report.measured);
    });
    child.once("exit", (code) => reject(new Error(`the process of the load ended with ${String(code)}`)));
  });
  const found = await measured;
  await sleep(afterMs);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  return { ...found, ...(await readBack(store, answered)) };
}

async function readBack(store: string, answered: readonly number[]): Promise<Pick<Run, "transitions" | "readMs">> {
  const begun = performance.now();
  await using system = startActors({ store });
  const states = await Promise.all(
    answered.map((_, index) => system.entity(account, `a${index}`).ask("get", undefined, { timeoutMs: 60_000 })),
  );
  const readMs = performance.now() - begun;
  let transitions = 0;
  for (const [index, { count, sum }] of states.entries()) {
    transitions += count;
    if (count < (answered[index] ?? 0)) throw new Error(`account ${index} has ${count} of ${answered[index]} deposits`);
    if (sum !== sumOf(count)) throw new Error(`account ${index} has ${sum} of ${count} deposits`);
  }
  if (transitions === 0) throw new Error("nothing was measured");
  return { transitions, readMs };
}

/** Of whole bursts, and the first messages of one. */
function sumOf(count: number): number {
  const whole = Math.floor(count / burst);
  const rest = count % burst;
  return (whole * burst * (burst + 1)) / 2 + (rest * (2 * burst - rest + 1)) / 2;
}
