import type { DataFrame } from "nodejs-polars";
import type { Session } from "qstream";
import { addSums, batchRows, noSums, type ColumnSums } from "../data/columns.ts";
import { namesParquet } from "../data/names-parquet.ts";
import { numbersParquet } from "../data/numbers-parquet.ts";
import { columnsAcross, drawColumns, targets } from "../flows/columns.ts";
import { parquetJoin } from "../flows/parquet-join.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { detailsOf } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { costOfLineage, describeCost, ratioOf, type LineageCost } from "../harness/stores.ts";

const batches = 32;
// Long enough for some checkpoints: batches are drawn before the time, and sent again and again.
const passes = 32;
const rows = batches * passes * batchRows;
const options = { warmups: 1, rounds: 5 };

export const benchmark: Benchmark = {
  name: "lineage-columns",
  workload:
    "67 M rows in Arrow batches hashed to the other slot, and two Parquet files joined (20 M rows); lineage in LMDB against none, the worse of the two",
  bar: { atMost: 1.08 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  const exchange = await costOfLineage({ prepare: draw, run: exchangeColumns }, options);
  const join = await costOfLineage({ run: joinFiles }, { ...options, warmups: 2 });
  const exchangeIsWorse = ratioOf(exchange.lmdb) > ratioOf(join.lmdb);
  const worse: LineageCost = exchangeIsWorse ? exchange : join;
  return {
    value: ratioOf(worse.lmdb),
    details: {
      ...detailsOf(worse.lmdb, exchangeIsWorse ? rows : numbersParquet().rows, "M rows/s"),
      exchange: describeCost(exchange.lmdb),
      join: describeCost(join.lmdb),
      exchangeOnRedis: describeCost(exchange.redis),
      joinOnRedis: describeCost(join.redis),
    },
  };
}

async function draw(session: Session, seed: number): Promise<void> {
  await drawColumns.run({ seed, batches, from: session.slots[0] ?? "" }, { on: session });
}

async function exchangeColumns(session: Session, seed: number): Promise<ColumnSums> {
  const channels = Array.from({ length: targets }, (_, target) => target * 2 + 1);
  const passage = { from: "batches", to: "sum", objects: rows, channels, leavesSlot: true };
  const args = { seed, batches, passes, from: session.slots[0] ?? "" };
  const { sums } = await outputsOf(columnsAcross.start(args, { on: session }), passage);
  return sums.reduce(addSums, noSums);
}

async function joinFiles(session: Session): Promise<string> {
  const files = { numbers: numbersParquet().path, names: namesParquet().path };
  const execution = parquetJoin.start(files, { on: session });
  const { groups } = await outputsOf(execution, { from: ["numbers", "names"], to: "join" });
  // Sums of whole numbers are exact, in whatever order they were made.
  return (groups as readonly DataFrame[])
    .flatMap((frame) => frame.toRecords())
    .map(({ group, rows: count, amount }) => `${String(group)} ${String(count)} ${String(amount)}`)
    .toSorted()
    .join();
}
