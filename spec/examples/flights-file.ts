import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DataFrame } from "nodejs-polars";

const require = createRequire(import.meta.url);
const polars = (): typeof import("nodejs-polars").default =>
  (require("nodejs-polars") as { default: typeof import("nodejs-polars").default }).default;

/** A flight of the vega-datasets package, as Polars alone reads it. */
export interface FlightRow {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly delay: number;
  readonly origin: string;
  readonly destination: string;
}

/** A file of the vega-datasets package. */
export function dataFile(name: string): string {
  return join(dirname(require.resolve("vega-datasets")), "../data", name);
}

/** The flights before a day of January 2001. The file is in order of dates, and has about 16,000 flights a day. */
export function flightsBefore(day: number): FlightRow[] {
  const all = rowsOf(polars().readParquet(dataFile("flights-3m.parquet"), { numRows: 20_000 * day }));
  const before = all.filter(({ time }) => time < Date.UTC(2001, 0, day));
  if (before.length === all.length) throw new Error("too few rows were read to see the end of the last day");
  return before;
}

/** All flights that landed more than this many minutes late. */
export function flightsLaterThan(delay: number): FlightRow[] {
  const pl = polars();
  return rowsOf(pl.readParquet(dataFile("flights-3m.parquet")).filter(pl.col("delay").gt(delay)));
}

function rowsOf(frame: DataFrame): FlightRow[] {
  const micros = frame.getColumn("date").cast(polars().Float64).toArray() as number[];
  const [delays, origins, destinations] = ["delay", "origin", "destination"].map((name) =>
    frame.getColumn(name).toArray(),
  );
  return micros.map((time, row) => ({
    time: time / 1000,
    delay: Number(delays?.[row]),
    origin: String(origins?.[row]),
    destination: String(destinations?.[row]),
  }));
}
