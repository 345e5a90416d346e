import { local } from "qstream";
import { wordsFile } from "../data/words.ts";
import { wordcount } from "../flows/wordcount.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { countWords } from "../peers/wordcount-script.ts";

const megabytes = 500;

export const benchmark: Benchmark = {
  name: "wordcount-vs-script",
  workload: "words of 500 MB of text on two slots; a script in one thread that reads in 1 MB chunks",
  bar: { atLeast: 1.5 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  const path = wordsFile(megabytes);
  await using session = await local({ slots: 2 });
  const ours: Contestant<Map<string, number>> = {
    name: "QStream",
    run: async () => {
      const execution = wordcount.start({ path }, { on: session });
      const passages = [
        { from: "lines", to: "count (partial)" },
        { from: "count (partial)", to: "count" },
      ];
      const { counts } = await outputsOf(execution, ...passages);
      return new Map(counts.map(({ key, value }) => [key, value]));
    },
  };
  const peer: Contestant<Map<string, number>> = { name: "a script", run: () => countWords(path) };
  const result = await contest(ours, peer, { warmups: 1, rounds: 3 });
  return { value: result.ratio, details: detailsOf(result, megabytes * 1_000_000, "MB/s") };
}
