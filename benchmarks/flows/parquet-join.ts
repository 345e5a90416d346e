import { count, defineFlow, parquet, sum, type ParquetPart, type PolarsBatch, type Reader } from "qstream";

type Numbers = PolarsBatch<{ key: number; amount: number }>;
type Names = PolarsBatch<{ key: number; group: number }>;

/** Two Parquet files joined by key, and the rows and amounts of each group of the right one. */
export const parquetJoin = defineFlow(import.meta.url, (q, args: { numbers: string; names: string }) => {
  const frames = (path: string, columns: readonly string[]): unknown => parquet(path, { as: "polars", columns });
  const numbers = q.read("numbers", frames(args.numbers, ["key", "amount"]) as Reader<Numbers, ParquetPart>);
  const names = q.read("names", frames(args.names, ["key", "group"]) as Reader<Names, ParquetPart>);
  const groups = numbers
    .join("join", names, { left: "key", right: "key" })
    .map("typed", (frame) => frame as PolarsBatch<{ amount: number; group: number }>)
    .aggregate("groups", { by: "group", aggregates: { rows: count(), amount: sum("amount") } });
  return { groups: groups.collect() };
});
