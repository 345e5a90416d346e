/**
 * Lesson 3: stages, and predicates that are pushed down.
 *
 *     node dist/examples/lessons/lesson3.js
 *
 * From how many airports of each state did a flight start that landed more than ten hours late? A semi join gives each
 * airport once, however many such flights it has. Its build side, the flights, is read to its end before the first
 * airport is looked up: the join gives it the lower stage, which `--explain` shows. The condition on the delay goes
 * into the Parquet scan, so that of three million flights only some hundred become objects.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { csv, defineFlow, formatTable, parquet, schema } from "qstream";

const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");
const airportColumns = schema({ iata: "string", state: "string?" });

const lesson3 = defineFlow(import.meta.url, { delay: "int32?" }, (q, { delay = 600 }) => {
  const late = q.read(
    "late flights",
    parquet(join(data, "flights-3m.parquet"), { columns: { origin: "string" }, where: [["delay", ">", delay]] }),
  );
  const airports = q.read("airports", csv(join(data, "airports.csv"), { schema: airportColumns }));
  const states = airports.join("with late flights", late, { left: "iata", right: "origin", how: "semi" }).reduceByKey(
    "airports of a state",
    ({ state }) => state ?? "none",
    () => 0,
    (n) => n + 1,
  );
  return { states: states.collect() };
});

export default lesson3;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const execution = await lesson3.start();
  const { states } = await execution.outputs;
  const sorted = states.toSorted((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
  console.log(
    formatTable(
      sorted.map(({ key, value }) => ({ state: key, airports: value })),
      { rowsMax: 10 },
    ),
  );
  console.log(`${execution.metrics?.rowsRead} rows read`);
}
