// What must not compile: readers, schemas, side outputs.
import { csv, items, iterable, jsonLines, lines, parquet, reader, schema, type Row } from "qstream";
import { leafReader, leaves, q, sidedReader, type Leaf } from "../shared.ts";

const airport = schema({ iata: "string", city: "string?", id: "int64" });
const airports = q.read("a", csv("airports.csv", { schema: airport }));

// @ts-expect-error: there is no type of column `text`
export const a1 = schema({ iata: "text" });
// @ts-expect-error: there is no column of this name
export const a2 = airports.map("a", (row) => row.name);
// @ts-expect-error: a city may be missing
export const a3 = airports.map("a", (row) => row.city.length);
// @ts-expect-error: an int64 is a bigint
export const a4 = airports.map("a", (row) => row.id + 1);
// @ts-expect-error: a row of other columns
export const a5: Row<typeof airport> = { iata: "A", city: "B" };
// @ts-expect-error: a schema is one of types, and not of values
export const a6 = csv("airports.csv", { schema: { iata: String } });

// @ts-expect-error: it has no side outputs
export const b1 = airports.sides.bad;
// @ts-expect-error: a reader without side outputs
export const b2 = q.read("a", leafReader).sides;
// @ts-expect-error: a side output that isn't there
export const b3 = q.read("a", sidedReader).sides.worse;
// @ts-expect-error: bad rows aren't ignored
export const b4 = csv("airports.csv", { badRows: "ignore" });
// @ts-expect-error: what a bad row doesn't tell
export const b5 = q.read("a", csv("a.csv", { schema: airport, badRows: "side" })).sides.bad.map("a", (bad) => bad.row);

// @ts-expect-error: a stream is no reader
export const c1 = q.read("a", leaves);
// @ts-expect-error: the id is missing
export const c2 = q.read(leafReader);
// @ts-expect-error: a path is no reader
export const c3 = q.read("a", "leaves.csv");
// @ts-expect-error: lines are texts
export const c4 = q.read("a", lines("a.txt")).map("a", (line) => line.size);
// @ts-expect-error: JSON without a schema is unknown, and never any
export const c5 = q.read("a", jsonLines("a.jsonl")).map("a", (value) => value.id);
// @ts-expect-error: objects of another type
export const c6 = items<Leaf>([{ tree: "oak" }]);
// @ts-expect-error: a text would be taken apart into letters
export const c7 = iterable("abc");
// @ts-expect-error: there is no such form
export const c8 = parquet("a.parquet", { as: "table" });
// @ts-expect-error: there is no such comparison
export const c9 = parquet("a.parquet", { where: [["delay", "~", 15]] });
// @ts-expect-error: a column that isn't read
export const c10 = q.read("a", parquet("a.parquet", { columns: { x: "int32" } })).map("a", (row) => row.y);
// @ts-expect-error: read gets what splits gives
export const c11 = reader({ splits: () => [{ page: 1 }], *read({ file }) { yield file; } });
// @ts-expect-error: a reader has no timers
export const c13 = reader({ splits: () => [0], *read(_split: number, ctx) { yield ctx.timers.has("a"); } });
// @ts-expect-error: there are no splits
export const c12 = reader({ *read() { yield 1; } });
