// Networks of flights: the real one as a plain loop reads it, and drawn ones, as files.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Airport, Line } from "../../../../examples/algorithms/graphs/flight-network.ts";
import type { RunOptions } from "../../../../lib/index.ts";
import { dataFile } from "../../flights-file.ts";
import { inAnyOrder } from "../in-any-order.ts";

export type Lines = readonly Pick<Line, "origin" | "destination" | "count">[];
export type Places = readonly Pick<Airport, "iata" | "latitude" | "longitude">[];

export interface Network {
  readonly lines: Lines;
  readonly places: Places;
}

/** The columns of a CSV file without quotes. */
function rowsOf(name: string): readonly string[][] {
  const lines = readFileSync(dataFile(name), "utf8").trimEnd().split(/\r?\n/);
  return lines.slice(1).map((line) => line.split(","));
}

export const realLines: Lines = rowsOf("flights-airport.csv").map(([origin = "", destination = "", count]) => ({
  origin,
  destination,
  count: Number(count),
}));

/** The last columns are numbers; names of some airports have commas. */
export const realPlaces: Places = rowsOf("airports.csv").map((row) => ({
  iata: row[0] ?? "",
  latitude: Number(row.at(-2)),
  longitude: Number(row.at(-1)),
}));

export const realNetwork: Network = { lines: realLines, places: realPlaces };

const codes = ["A", "B", "C", "D", "E", "F", "G", "H"];

/** Few airports on few longitudes, so that ways of one length are frequent; some have no flights from or to them. */
const networks: fc.Arbitrary<Network> = fc.record({
  lines: fc.uniqueArray(
    fc.record({
      origin: fc.constantFrom(...codes),
      destination: fc.constantFrom(...codes),
      count: fc.integer({ min: 1, max: 9 }),
    }),
    { minLength: 1, maxLength: 40, size: "max", selector: ({ origin, destination }) => origin + destination },
  ),
  places: fc
    .array(fc.integer({ min: 0, max: 3 }), { minLength: codes.length, maxLength: codes.length })
    .map((longitudes) => codes.map((iata, at) => ({ iata, latitude: 0, longitude: longitudes[at] ?? 0 }))),
});

/** Names of the files that a network was written to, as arguments of the flows. */
export interface NetworkFiles {
  readonly flights: string;
  readonly airports: string;
}

async function withFiles({ lines, places }: Network, body: (files: NetworkFiles) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "qstream-networks-"));
  const files = { flights: join(folder, "flights.csv"), airports: join(folder, "airports.csv") };
  const flights = lines.map(({ origin, destination, count }) => `${origin},${destination},${count}`);
  const airports = places.map(({ iata, latitude, longitude }) => `${iata},${iata},X,${latitude},${longitude}`);
  try {
    writeFileSync(files.flights, ["origin,destination,count", ...flights, ""].join("\n"));
    writeFileSync(files.airports, ["iata,city,state,latitude,longitude", ...airports, ""].join("\n"));
    await body(files);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checks a flow over drawn networks, in any order, on any number of channels. */
export function checkNetworks(
  runs: number,
  body: (network: Network, args: NetworkFiles & { readonly channels: number }, options: RunOptions) => Promise<void>,
): Promise<void> {
  return inAnyOrder(
    networks,
    (network, channels, options) => withFiles(network, (files) => body(network, { ...files, channels }, options)),
    runs,
  );
}

/** All airports that a line begins or ends at. */
export function airportsOf(lines: Lines): readonly string[] {
  return [...new Set(lines.flatMap(({ origin, destination }) => [origin, destination]))].toSorted();
}
