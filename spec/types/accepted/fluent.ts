// The built-in operators and sinks as methods of a stream.
import {
  defineFlow,
  lines,
  type Dataset,
  type FilesWritten,
  type ForEachResult,
  type Keyed,
  type QStream,
} from "qstream";
import type { Table } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import { acorns, is, leaves, numbers, tables, words, type Acorn, type Leaf, type Same } from "../shared.ts";

type ObjectOf<S> = S extends QStream<infer T> ? T : never;

export const wordcount = defineFlow(import.meta.url, (q, args: { path: string }) => {
  const counts = q
    .read("lines", lines(args.path))
    .flatMap("words", (line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .reduceByKey(
      "count",
      (word) => word,
      () => 0,
      (n) => n + 1,
      { merge: (a, b) => a + b, channels: 2 },
    );
  is<Same<ObjectOf<typeof counts>, Keyed<string, number>>>();
  return { counts: counts.collect(), most: counts.topK("most", 10, "value").collect() };
});

export async function running(): Promise<void> {
  const { counts, most } = await wordcount.run({ path: "books/*.txt" }, { slots: 4 });
  is<Same<typeof counts, Keyed<string, number>[]>>();
  is<Same<typeof most, Keyed<string, number>[]>>();
}

const folded = leaves.foldByKey("a", (leaf) => leaf.tree, () => 0, (sum, leaf) => sum + leaf.size, { emit: "updates" }); // prettier-ignore
is<Same<ObjectOf<typeof folded>, Keyed<string, number>>>();

const united = leaves.union("b", acorns, words);
is<Same<ObjectOf<typeof united>, Leaf | Acorn | string>>();

const batches = tables.union("c", tables);
is<Same<ObjectOf<typeof batches>, ObjectOf<typeof tables>>>();

const zipped = numbers.zip("d", words);
is<Same<ObjectOf<typeof zipped>, readonly [number, string]>>();
const combined = numbers.zip("e", words, { combine: (n, word) => word.repeat(n), strict: true });
is<Same<ObjectOf<typeof combined>, string>>();

type Order = { id: number; user: string; at: string };
type User = { user: string; at: string; age: number };
declare const orders: QStream<Order>;
declare const users: QStream<User>;
const joined = orders.join("f", users, { left: "user", right: "user" });
is<Same<ObjectOf<typeof joined>, { id: number; user: string; at: string; age: number; at_2: string }>>();
const outer = orders.join("g", users, {
  left: (order) => order.user,
  right: "user",
  how: "left",
  combine: (order, user) => ({ id: order.id, age: user?.age ?? null }),
});
is<Same<ObjectOf<typeof outer>, { id: number; age: number | null }>>();
const matching = orders.join("h", users, { left: "user", right: "user", how: "semi" });
is<Same<ObjectOf<typeof matching>, Order>>();
const broadcasted = orders.broadcastJoin("i", users, { left: ["user"], right: ["user"] });
is<Same<ObjectOf<typeof broadcasted>, ObjectOf<typeof joined>>>();
const streaming = orders.streamingJoin("j", users, { left: "user", right: "user", suffix: "_of_user" });
is<Same<ObjectOf<typeof streaming>["at_of_user"], string>>();
const self = orders.join("k", orders, { left: "id", right: "id", combine: (a, b) => [a.id, b.user] as const });
is<Same<ObjectOf<typeof self>, readonly [number, string]>>();
const groups = orders.cogroup("l", users, {
  left: "user",
  right: (user) => user.user,
  combine: (key, some, others) => ({ key, orders: some.length, ages: others.map((user) => user.age) }),
});
is<Same<ObjectOf<typeof groups>["ages"], number[]>>();

export const counted: QStream<number> = leaves.count("m");
export const first: QStream<Leaf> = leaves.limit("n", 3);
export const sorted: QStream<Leaf> = leaves.sort("o", ["tree", { by: "size", order: "descending" }]);
export const byFunction: QStream<Leaf> = leaves.sort("p", (leaf) => -leaf.size);
export const byColumn = tables.sort("q", "delay").topK("r", 3, "origin", { order: "ascending" });

export const sinks = defineFlow(import.meta.url, () => ({
  list: leaves.collect(),
  table: tables.collect({ as: "arrow" }),
  frame: leaves.collect({ as: "polars", bytesMax: 1e6 }),
  kept: leaves.dataset(),
  called: leaves.forEach((leaf, ctx) => ctx.count(leaf.tree)),
  text: words.toLines("out/words"),
  csv: leaves.toCsv("out/leaves"),
  json: leaves.toJsonLines("out/json", { channels: 2 }),
  parquet: tables.toParquet("out/parquet"),
  arrow: tables.toArrow("out/arrow"),
}));
type Outs = Awaited<ReturnType<typeof sinks.run>>;
is<Same<Outs["list"], Leaf[]>>();
is<Same<Outs["table"], Table>>();
is<Same<Outs["frame"], DataFrame>>();
is<Same<Outs["kept"], Dataset<Leaf>>>();
is<Same<Outs["called"], ForEachResult>>();
is<Same<Outs["csv"], FilesWritten>>();
