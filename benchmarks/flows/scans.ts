import pl from "nodejs-polars";
import { defineFlow, parquet } from "qstream";

/** A group of a scan: how many rows it has, and the sum of one of their columns. */
export interface Totals {
  rows: number;
  sum: number;
}

const add = (totals: Totals, { rows, sum }: Totals): Totals => {
  totals.rows += rows;
  totals.sum += sum;
  return totals;
};

/** Flights by origin: each split is grouped by Polars while it is scanned, then groups meet by key. */
export const flightsByOrigin = defineFlow(import.meta.url, (q, args: { path: string }) => {
  const parts = parquet(args.path, {
    frame: (scan) =>
      scan
        .groupBy("origin")
        .agg(pl.col("delay").count().cast(pl.Int32).alias("rows"), pl.col("delay").sum().cast(pl.Float64).alias("sum"))
        .sort("origin"),
    result: { origin: "string", rows: "int32", sum: "float64" },
  });
  const groups = q.read("parts", parts).reduceByKey(
    "groups",
    ({ origin }) => origin,
    () => ({ rows: 0, sum: 0 }),
    add,
  );
  return { groups: groups.collect() };
});

/** Numbers by key, in the same way. */
export const numbersByKey = defineFlow(import.meta.url, (q, args: { path: string }) => {
  const parts = parquet(args.path, {
    frame: (scan) =>
      scan
        .groupBy("key")
        .agg(pl.col("amount").count().cast(pl.Int32).alias("rows"), pl.col("amount").sum().alias("sum"))
        .sort("key"),
    result: { key: "int32", rows: "int32", sum: "float64" },
  });
  const groups = q.read("parts", parts).reduceByKey(
    "groups",
    ({ key }) => key,
    () => ({ rows: 0, sum: 0 }),
    add,
  );
  return { groups: groups.collect() };
});
