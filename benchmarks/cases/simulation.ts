import { simulate } from "qstream/testing";
import { expectedRemainders, tenChannels, type Remainder } from "../flows/ten-channels.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round } from "../harness/contest.ts";

const warmups = 100;
const rounds = 5;
const executions = 200;
const args = { upTo: 600, keys: 40 };
const limits = { parcelObjects: 16, inputObjects: 64, spoolMemoryBytes: 0 };
const faults = ["kill", "pause", "delay"] as const;

export const benchmark: Benchmark = {
  name: "simulation",
  workload: "simulated executions a second of a flow with ten channels on three slots, with lineage and with faults",
  bar: { atLeast: 50 },
  unit: "/s",
  measure,
};

async function measure(): Promise<Measured> {
  const expected = textOf(expectedRemainders(args.upTo, args.keys));
  let tasks = 0;
  let struck = 0;
  const executeFrom = async (first: number, count: number): Promise<void> => {
    for (let seed = first; seed < first + count; seed++) {
      // oxlint-disable-next-line no-await-in-loop -- one world at a time
      const report = await simulate(tenChannels, args, { seed, limits, faults, traceLines: 0 });
      if (report.error !== undefined) throw report.error;
      if (textOf(report.outputs?.remainders ?? []) !== expected) throw new Error(`seed ${seed} gave another result`);
      tasks += report.tasks;
      for (const times of Object.values(report.faults)) struck += times;
    }
  };
  await executeFrom(1, warmups);
  tasks = 0;
  struck = 0;
  const times: number[] = [];
  for (let at = 0; at < rounds; at++) {
    globalThis.gc?.();
    const from = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one round at a time
    await executeFrom(warmups + 1 + at * executions, executions);
    times.push(performance.now() - from);
  }
  const all = rounds * executions;
  return {
    value: (executions * 1000) / median(times),
    details: {
      ours: `${round(median(times) / executions)} ms an execution`,
      tasks: `${round(tasks / all)} an execution`,
      faults: `${round(struck / all)} an execution`,
      ourRounds: times.map(round).join(" "),
    },
  };
}

function textOf(remainders: readonly Remainder[]): string {
  return remainders
    .map(({ remainder, sum, number }) => `${remainder} ${sum} ${number}`)
    .toSorted()
    .join();
}
