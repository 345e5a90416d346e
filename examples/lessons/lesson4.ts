/**
 * Lesson 4: pre-aggregation before the exchange.
 *
 *     node dist/examples/lessons/lesson4.js
 *
 * The mean delay of the flights to each airport, twice. Both are right, as they carry sum and count and divide at the
 * end (a mean of means would not be). They differ in what is sent: `everyFlight` sends each flight to the channel of
 * its airport; `preAggregated` is given `merge`, so each reading channel first makes one value an airport of its own
 * flights, and only those are sent and merged.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineFlow, formatSteps, parquet, type Keyed } from "qstream";

const flights = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data/flights-3m.parquet");

type Flight = { readonly destination: string; readonly delay: number };
type Delays = { readonly minutes: number; readonly flights: number };

const none = (): Delays => ({ minutes: 0, flights: 0 });
const add = (sum: Delays, { delay }: Flight): Delays => ({ minutes: sum.minutes + delay, flights: sum.flights + 1 });
const merge = (a: Delays, b: Delays): Delays => ({ minutes: a.minutes + b.minutes, flights: a.flights + b.flights });
const mean = ({ key, value }: Keyed<string, Delays>) => ({ airport: key, delay: value.minutes / value.flights });
const destinationOf = ({ destination }: Flight): string => destination;

/** Flights of January up to a day of it, the first three unless told. */
const lesson4 = defineFlow(import.meta.url, { days: "int32?" }, (q, { days = 3 }) => {
  const until = new Date(Date.UTC(2001, 0, 1 + days));
  const read = q.read(
    "flights",
    parquet(flights, { columns: { destination: "string", delay: "int32" }, where: [["date", "<", until]] }),
  );
  return {
    everyFlight: read.reduceByKey("every flight", destinationOf, none, add).map("mean", mean).collect(),
    preAggregated: read
      .reduceByKey("pre-aggregated", destinationOf, none, add, { merge })
      .map("mean of merged", mean)
      .collect(),
  };
});

export default lesson4;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const execution = await lesson4.start();
  await execution.outputs;
  // Compare the two under "objects in".
  if (execution.metrics !== undefined) console.log(formatSteps(execution.metrics));
}
