import { local } from "qstream";
import { addSums, batchRows, noSums, type ColumnSums } from "../data/columns.ts";
import { columnsAcross, drawColumns, targets } from "../flows/columns.ts";
import type { Benchmark, Measured } from "../harness/benchmark.ts";
import { contest, detailsOf, type Contestant } from "../harness/contest.ts";
import { outputsOf } from "../harness/links.ts";
import { PolarsExchange } from "../peers/polars-exchange.ts";

const batches = 32;
const rows = batches * batchRows;

export const benchmark: Benchmark = {
  name: "columns-vs-polars",
  workload:
    "2 M rows in Arrow batches hashed to 4 channels of the other slot; Polars partitionBy, IPC out and IPC in there",
  bar: { atLeast: 2 },
  unit: "x",
  measure,
};

async function measure(): Promise<Measured> {
  await using session = await local({ slots: 2, store: "none" });
  const from = session.slots[0] ?? "";
  const polars = new PolarsExchange();
  const channels = Array.from({ length: targets }, (_, target) => target * 2 + 1);
  const passage = { from: "batches", to: "sum", objects: rows, channels, leavesSlot: true };
  const ours: Contestant<ColumnSums> = {
    name: "QStream",
    prepare: async (seed) => void (await drawColumns.run({ seed, batches, from }, { on: session })),
    run: async (seed) => {
      const { sums } = await outputsOf(columnsAcross.start({ seed, batches, from }, { on: session }), passage);
      return sums.reduce(addSums, noSums);
    },
  };
  const peer: Contestant<ColumnSums> = {
    name: "Polars",
    prepare: (seed) => polars.prepare({ seed, batches, targets }),
    run: (seed) => polars.run({ seed, batches, targets }),
  };
  try {
    const result = await contest(ours, peer, { warmups: 2, rounds: 9 });
    return { value: result.ratio, details: detailsOf(result, rows, "M rows/s") };
  } finally {
    await polars.close();
  }
}
