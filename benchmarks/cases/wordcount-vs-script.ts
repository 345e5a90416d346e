import { local } from "qstream";
import { wordsFile } from "../data/words.ts";
import { wordcount } from "../flows/wordcount.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contest, type ContestOptions } from "../harness/contest.ts";
import { outputsOf, type Passage } from "../harness/links.ts";
import { countWords } from "../peers/wordcount-script.ts";

const megabytes = 500;
const warmingMegabytes = 20;

export const benchmark: Benchmark = {
  name: "wordcount-vs-script",
  workload: "words of 500 MB of text on two slots; a script in one thread that reads in 1 MB chunks",
  bar: { atLeast: 1.5 },
  unit: "x",
  measure,
};

const passages: readonly Passage[] = [
  { from: "lines", to: "count (partial)" },
  { from: "count (partial)", to: "count" },
];

async function measure(): Promise<Measured> {
  await using session = await local({ slots: 2, store: "none" });
  const compare = (path: string, options: ContestOptions<Map<string, number>>): Promise<Contest> =>
    contest<Map<string, number>>(
      {
        name: "QStream",
        run: async () => {
          const { counts } = await outputsOf(wordcount.start({ path }, { on: session }), ...passages);
          return new Map(counts.map(({ key, value }) => [key, value]));
        },
      },
      { name: "a script", run: () => countWords(path) },
      options,
    );
  // Compiled code is the same whatever a text's length.
  await compare(wordsFile(warmingMegabytes), { warmups: 1, rounds: 1 });
  const result = await compare(wordsFile(megabytes), { warmups: 0, rounds: 3 });
  return { value: result.ratio, details: detailsOf(result, megabytes * 1_000_000, "MB/s") };
}
