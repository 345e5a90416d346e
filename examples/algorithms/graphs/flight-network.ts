// The graph of the examples here: airports of the United States and the flights between them in 2008, from the npm package
// `vega-datasets`. Other files of the same columns do as well.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { csv, schema, type FlowBuilder, type QStream, type Row } from "qstream";

const flightColumns = schema({ origin: "string", destination: "string", count: "int32" });
const airportColumns = schema({
  iata: "string",
  city: "string?",
  state: "string?",
  latitude: "float64",
  longitude: "float64",
});

/** An edge: how many flights there were from one airport to another within a year. */
export type Line = Row<typeof flightColumns>;
export type Airport = Row<typeof airportColumns>;

/** Where an airport is, in degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** What is known of the place that an airport is at; nothing where it isn't in the list. */
export interface Place extends Position {
  readonly city: string;
}

/** Arguments of all flows here: other files, and channels of the loop where one a slot doesn't fit. */
export const networkArguments = { flights: "string?", airports: "string?", channels: "int32?" } as const;

const data = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data");

export function readLines(q: FlowBuilder, path = join(data, "flights-airport.csv")): QStream<Line> {
  return q.read("flights", csv(path, { schema: flightColumns }));
}

export function readAirports(q: FlowBuilder, path = join(data, "airports.csv")): QStream<Airport> {
  return q.read("airports", csv(path, { schema: airportColumns }));
}

/** Adds the place to what is known of an airport by its code. */
export function placed<Known extends { readonly airport: string }>(known: Known, found?: Airport): Known & Place {
  const { city, state, latitude = NaN, longitude = NaN } = found ?? {};
  return { ...known, city: found === undefined ? "?" : `${city}, ${state}`, latitude, longitude };
}
