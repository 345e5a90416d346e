import pl from "nodejs-polars";

export interface Group {
  readonly key: string | number;
  readonly rows: number;
  readonly sum: number;
}

/** One query of Polars, by its streaming engine. The synchronous call is the one that takes the choice of an engine. */
export function groupInPolars(path: string, key: string, value: string): Group[] {
  const groups = pl
    .scanParquet(path)
    .groupBy(key)
    .agg(pl.col(value).count().cast(pl.Int32).alias("rows"), pl.col(value).sum().cast(pl.Float64).alias("sum"))
    .collectSync({ engine: "streaming" });
  const [keys, rows, sums] = [key, "rows", "sum"].map((name) => groups.getColumn(name).toArray()) as [
    (string | number)[],
    number[],
    number[],
  ];
  return keys.map((name, at) => ({ key: name, rows: rows[at] ?? 0, sum: sums[at] ?? 0 }));
}
