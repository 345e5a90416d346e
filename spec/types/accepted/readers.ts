// Readers: rows by schema, side outputs, custom readers.
import {
  arrowIpc,
  csv,
  items,
  iterable,
  jsonLines,
  lines,
  parquet,
  reader,
  run,
  schema,
  type BadRow,
  type Context,
  type QStream,
  type Reader,
  type Row,
} from "qstream";
import { is, leafReader, q, sidedReader, type Leaf, type Same } from "../shared.ts";

type ObjectOf<S> = S extends QStream<infer T> ? T : never;

const airport = schema({ iata: "string", city: "string?", id: "int64", open: "boolean", since: "date?" });
type Airport = { iata: string; city: string | null; id: bigint; open: boolean; since: Date | null };
is<Same<Row<typeof airport>, Airport>>();

const airports = q.read("a", csv("airports.csv", { schema: airport }));
is<Same<ObjectOf<typeof airports>, Airport>>();

const sided = q.read("b", csv("airports.csv", { schema: airport, badRows: "side" }), { channels: 2 });
is<Same<ObjectOf<typeof sided>, Airport>>();
export const bad: QStream<BadRow> = sided.sides.bad;

const flights = q.read(
  "c",
  parquet("flights.parquet", { columns: { origin: "string", delay: "int32?" }, where: [["delay", ">", 15]] }),
);
is<Same<ObjectOf<typeof flights>, { origin: string; delay: number | null }>>();

export const text: QStream<string> = q.read("d", lines(["a.txt", "b.txt"]));
export const json: QStream<unknown> = q.read("e", jsonLines("a.jsonl"));
export const listed: QStream<Leaf> = q.read("f", items<Leaf>([{ tree: "oak", size: 1 }]));
export const own: QStream<Leaf> = q.read("g", leafReader);
export const ownSide: QStream<{ line: number }> = q.read("h", sidedReader).sides.bad;
export const batches = q.read("i", arrowIpc("a.arrow")).map("rows", (table) => table.numRows);
export const rows: QStream<Record<string, unknown>> = q.read("j", arrowIpc("a.arrow", { as: "objects" }));
export const frames = q.read("k", parquet("a.parquet", { as: "polars" })).frame("head", (frame) => frame.head(3));
export const squares = q.read(
  "l",
  iterable(function* () {
    for (let n = 0; n < 3; n++) yield n * n;
  }),
);
is<Same<ObjectOf<typeof squares>, number>>();

// Any Standard Schema gives JSON its type.
declare const standard: {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => { readonly value: { id: number } };
  };
};
const events = q.read("m", jsonLines("events.jsonl", { schema: standard, badRows: "side" }));
is<Same<ObjectOf<typeof events>, { id: number }>>();
export const badEvents: QStream<BadRow> = events.sides.bad;

// Splits flow from splits to read.
const pages = q.read(
  "n",
  reader({
    splits: () => [{ page: 1 }, { page: 2 }],
    *read({ page }, ctx) {
      is<Same<typeof ctx, Context>>();
      yield run([page, page + 1]);
      yield page;
    },
  }),
);
is<Same<ObjectOf<typeof pages>, number>>();

export class Countdown implements Reader<number, { readonly from: number }> {
  readonly kind = "countdown";
  splits(): { readonly from: number }[] {
    return [{ from: 3 }];
  }
  *read({ from }: { readonly from: number }): Generator<number, void> {
    for (let n = from; n > 0; n--) yield n;
  }
}
export const counted: QStream<number> = q.read("o", new Countdown());
