import { local, type ExecutionMetrics } from "qstream";
import { partVertices, vertices } from "../data/edges.ts";
import { pageRank, type PartNumbers } from "../flows/pagerank.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { rankInLoop } from "../peers/pagerank-loop.ts";

const edges = 10_000_000;
const rounds = 20;

export const benchmark: Benchmark = {
  name: "pagerank",
  workload:
    "20 rounds over 10 M edges through iterate, ranks exchanged by hash between 2 channels; plain loops over typed arrays",
  bar: { atLeast: 0.3 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using session = await local({ slots: 2, store: "none" });
  const ours: Contestant<Float64Array> = {
    name: "QStream",
    run: async (seed) => {
      const execution = await pageRank.start({ seed, edges, rounds }, { on: session });
      const { ranks } = await execution.outputs;
      checkRounds(execution.metrics);
      return ranksOf(ranks);
    },
  };
  const peer: Contestant<Float64Array> = { name: "plain loops", run: (seed) => rankInLoop(seed, edges, rounds) };
  const result = await contest(ours, peer, { warmups: 1, rounds: 5 });
  return { value: result.ratio, details: detailsOf(result, edges * rounds, "M edges/s") };
}

function ranksOf(parts: readonly PartNumbers[]): Float64Array {
  const ranks = new Float64Array(vertices);
  for (const { part, numbers } of parts) ranks.set(numbers, part * partVertices);
  return ranks;
}

/** All rounds were there, and what was fed back in them left its slot. */
function checkRounds(metrics: ExecutionMetrics | undefined): void {
  const { round, bytesExchanged } = metrics?.steps.find(({ step }) => step === "rank")?.metrics ?? {};
  if (round !== rounds) throw new Error(`there were ${round} rounds`);
  const least = (rounds * vertices * 8) / 2;
  if ((bytesExchanged ?? 0) < least) throw new Error(`${bytesExchanged} bytes were exchanged, and not ${least}`);
}
