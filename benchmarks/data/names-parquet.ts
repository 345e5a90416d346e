import pl from "nodejs-polars";
import { cachedFile } from "./cached.ts";

const keys = 10_000;
const groups = 100;

/** A Parquet file of 10,000 rows {key, name, group}, one for each key of the file of numbers. Written once. */
export function namesParquet(): { readonly path: string; readonly groups: number } {
  const path = cachedFile("names-10k-1.parquet", (target) => {
    const key = Int32Array.from({ length: keys }, (_, row) => row);
    pl.DataFrame([
      pl.Series("key", key, pl.Int32),
      pl.Series(
        "name",
        Array.from(key, (row) => `name ${row}`),
      ),
      pl.Series(
        "group",
        key.map((row) => row % groups),
        pl.Int32,
      ),
    ]).writeParquet(target);
  });
  return { path, groups };
}
