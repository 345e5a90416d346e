// Readers and their streams with inferred types.
import { arrowIpc, csv, items, iterable, jsonLines, lines, parquet, reader, schema } from "qstream";
import { q } from "../shared.ts";

export const airport = schema({ iata: "string", city: "string?" });
export const airports = csv("airports.csv", { schema: airport, badRows: "side" });
export const plain = csv("airports.csv");
export const tables = csv("airports.csv", { as: "arrow" });
export const rows = q.read("a", airports);
export const bad = rows.sides.bad;
export const flights = parquet("flights.parquet", { columns: { origin: "string" }, badFiles: "side" });
export const badFiles = q.read("b", flights).sides.bad;
export const some = parquet("flights.parquet", { columns: ["origin"] });
export const text = lines("a.txt");
export const json = jsonLines("a.jsonl", { badRows: "side" });
export const arrow = arrowIpc("a.arrow");
export const listed = items([1, 2]);
export const generated = iterable(function* () {
  yield 1;
});
export const own = reader({
  splits: ({ channels }) => [{ channels }],
  *read({ channels }) {
    yield channels;
  },
});
