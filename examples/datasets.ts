/**
 * A session with a dataset: one flow keeps its result in the memory of the slots, and two others start from there.
 *
 *     node dist/examples/datasets.js
 *
 * The first flow reads and cleans a file once. What it keeps stays where it was made, encoded; the readers of the later
 * flows are placed with it. The dataset is released, and the session closed, at the end of the block.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { csv, dataset, defineFlow, formatTable, local, schema, type Dataset } from "qstream";

const columns = schema({
  iata: "string",
  city: "string?",
  state: "string?",
  latitude: "float64",
  longitude: "float64",
});

export type Airport = { readonly iata: string; readonly city: string; readonly state: string; readonly height: number };

/** Airports that have a city and a state, with their heights on the map in kilometres from the equator. */
export const load = defineFlow(import.meta.url, (q) => {
  const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");
  const airports = q
    .read("file", csv(join(data, "airports.csv"), { schema: columns }))
    .flatMap("clean", ({ iata, city, state, latitude }): Airport[] =>
      city === null || state === null ? [] : [{ iata, city, state, height: Math.round((latitude * 10_000) / 90) }],
    );
  return { airports: airports.dataset() };
});

type Args = { readonly airports: Dataset<Airport> };

export const perState = defineFlow(import.meta.url, (q, { airports }: Args) => ({
  states: q
    .read("airports", dataset(airports))
    .reduceByKey(
      "count",
      ({ state }) => state,
      () => 0,
      (n) => n + 1,
    )
    .collect(),
}));

export const northernmost = defineFlow(import.meta.url, (q, { airports }: Args) => ({
  north: q.read("airports", dataset(airports)).topK("north", 5, ["height", "iata"], { order: "descending" }).collect(),
}));

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await using session = await local();
  const { airports } = await load.run({}, { on: session });
  await using kept = airports;
  console.log(
    `${kept.rows} airports in ${kept.bytes} bytes on ${new Set(kept.parts.map((part) => part.slot)).size} slots\n`,
  );
  const [{ states }, { north }] = await Promise.all([
    perState.run({ airports }, { on: session }),
    northernmost.run({ airports }, { on: session }),
  ]);
  console.log(
    formatTable(
      states.toSorted((a, b) => b.value - a.value),
      { rowsMax: 5 },
    ),
  );
  console.log(formatTable(north));
}
