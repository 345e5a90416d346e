import empty from "../flows/empty.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startCluster } from "../harness/cluster.ts";
import { median, round, timed } from "../harness/contest.ts";

const rounds = 15;

export const benchmark: Benchmark = {
  name: "submit",
  workload: "an empty flow from an open session to a running cluster of two workers, until its result is there",
  bar: { atMost: 250 },
  unit: "ms",
  measure,
};

async function measure(): Promise<Measured> {
  await using cluster = await startCluster({ machines: 2 });
  await using session = await cluster.session();
  const times: number[] = [];
  for (let attempt = 0; attempt <= rounds; attempt++) {
    const { ms, result } = await timed({ name: "submit", run: () => empty.run({}, { on: session }) }, attempt);
    if (result.nothing.length > 0) throw new Error("an empty flow gave something");
    times.push(ms);
  }
  const [first = 0, ...warm] = times;
  return {
    value: median(warm),
    details: { ours: `${round(median(warm))} ms`, first: `${round(first)} ms`, ourRounds: warm.map(round).join(" ") },
  };
}
