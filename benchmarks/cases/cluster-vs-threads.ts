import type { DataFrame } from "nodejs-polars";
import { local, type FlowSession } from "qstream";
import { namesParquet } from "../data/names-parquet.ts";
import { numbersParquet } from "../data/numbers-parquet.ts";
import { wordsFile } from "../data/words.ts";
import { parquetJoin } from "../flows/parquet-join.ts";
import { wordcount } from "../flows/wordcount.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { startCluster } from "../harness/cluster.ts";
import { contest, detailsOf, round, type Contest, type ContestOptions } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";

const megabytes = 500;
const warmingMegabytes = 20;

export const benchmark: Benchmark = {
  name: "cluster-vs-threads",
  workload:
    "words of 500 MB of text, and two Parquet files joined (20 M rows), on two workers of one slot; the same on two threads with the same store; the worse of the two",
  bar: { atLeast: 0.8 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using cluster = await startCluster({ machines: 2 });
  await using machines = await cluster.session();
  await using threads = await local({ slots: 2, store: cluster.store });
  const compare = <R>(run: (session: FlowSession) => Promise<R>, options: ContestOptions<R>): Promise<Contest> =>
    contest<R>(
      { name: "two machines", run: () => run(machines) },
      { name: "two threads", run: () => run(threads) },
      options,
    );
  // Compiled code is the same whatever a text's length.
  await compare((session) => countWords(session, wordsFile(warmingMegabytes)), { warmups: 1, rounds: 1 });
  const words = await compare((session) => countWords(session, wordsFile(megabytes)), { warmups: 0, rounds: 3 });
  const join = await compare(joinFiles, { warmups: 2, rounds: 5 });
  const worse = words.ratio < join.ratio ? words : join;
  return {
    value: worse.ratio,
    details: {
      ...(worse === words
        ? detailsOf(words, megabytes * 1_000_000, "MB/s")
        : detailsOf(join, numbersParquet().rows, "M rows/s")),
      wordcount: `${round(words.ratio)} x (${round(words.oursMs)} ms / ${round(words.peerMs)} ms)`,
      join: `${round(join.ratio)} x (${round(join.oursMs)} ms / ${round(join.peerMs)} ms)`,
    },
  };
}

async function countWords(on: FlowSession, path: string): Promise<ReadonlyMap<string, number>> {
  const { counts } = await outputsOf(
    wordcount.start({ path }, { on }),
    { from: "lines", to: "count (partial)" },
    { from: "count (partial)", to: "count" },
  );
  return new Map(counts.map(({ key, value }) => [key, value]));
}

async function joinFiles(on: FlowSession): Promise<string> {
  const files = { numbers: numbersParquet().path, names: namesParquet().path };
  const { groups } = await outputsOf(parquetJoin.start(files, { on }), { from: ["numbers", "names"], to: "join" });
  // Sums of whole numbers are exact, in whatever order they were made.
  return (groups as readonly DataFrame[])
    .flatMap((frame) => frame.toRecords())
    .map(({ group, rows, amount }) => `${String(group)} ${String(rows)} ${String(amount)}`)
    .toSorted()
    .join();
}
