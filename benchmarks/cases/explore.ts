import { findViolation } from "qstream/testing";
import { compactRaft } from "../explorations/compact-raft.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { median, round } from "../harness/contest.ts";

const warmups = 300;
const seeds = 300;
const rounds = 5;

export const benchmark: Benchmark = {
  name: "explore",
  workload:
    "steps a second of five nodes of Raft that are explored with all faults, and all invariants after every step",
  bar: { atLeast: 200_000 },
  unit: "/s",
  measure,
};

async function measure(): Promise<Measured> {
  const raft = compactRaft();
  const exploreFrom = async (from: number, count: number) => {
    const report = await findViolation(raft, { from, seeds: count });
    if (report.violation !== undefined) throw new Error(report.violation.text);
    return report;
  };
  await exploreFrom(1, warmups);
  const rates: number[] = [];
  let faults = 0;
  for (let at = 0; at < rounds; at++) {
    globalThis.gc?.();
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    const report = await exploreFrom(warmups + 1 + at * seeds, seeds);
    rates.push(report.steps / (report.elapsedMs / 1000));
    faults += report.faults;
  }
  return { value: median(rates), details: { faults, rounds: rates.map(round).join(" ") } };
}
