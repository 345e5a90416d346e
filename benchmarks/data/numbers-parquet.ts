import pl, { type DataFrame } from "nodejs-polars";
import { cachedFile } from "./cached.ts";
import { nextState, stateOf } from "./draw.ts";

const rows = 20_000_000;

/** A Parquet file of 20 M rows {key, amount}: 10,000 different keys. Written once. */
export function numbersParquet(): { readonly path: string; readonly rows: number } {
  const path = cachedFile("numbers-20m-1.parquet", (target) => {
    drawNumbers().writeParquet(target, { compression: "snappy" });
  });
  return { path, rows };
}

function drawNumbers(): DataFrame {
  const key = new Int32Array(rows);
  const amount = new Float64Array(rows);
  let state = stateOf(20, 0);
  for (let row = 0; row < rows; row++) {
    state = nextState(state);
    key[row] = (state >>> 1) % 10_000;
    state = nextState(state);
    // Whole numbers, so that sums don't depend on the order in which they are made.
    amount[row] = state & 0xffff;
  }
  return pl.DataFrame([pl.Series("key", key, pl.Int32), pl.Series("amount", amount, pl.Float64)]);
}
