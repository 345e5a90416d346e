// What the methods of a stream give, with inferred types.
import {
  cogroup,
  hashJoin,
  limit,
  numbers as numberRange,
  reduceByKey,
  sort,
  topK,
  union,
  writeCsv,
  zip,
} from "qstream";
import { acorns, leaves, numbers, q, tables, words } from "../shared.ts";

const zero = () => 0;
export const counted = words.reduceByKey("a", (word) => word, zero, (n) => n + 1); // prettier-ignore
export const united = leaves.union("b", acorns);
export const zipped = numbers.zip("c", words);
export const joined = leaves.join("d", acorns, { left: "tree", right: "kg" });
export const outer = leaves.join("e", acorns, { left: "tree", right: "kg", how: "full" });
export const few = tables.sort("f", "delay").limit("g", 3);
export const collected = leaves.collect();
export const table = tables.collect({ as: "arrow" });
export const kept = leaves.dataset();
export const written = leaves.toCsv("out");
export const called = leaves.forEach(() => {});

export const reduction = reduceByKey({ key: (word: string) => word, init: () => 0, reduce: (n) => n + 1 });
export const join = hashJoin<{ a: number }, { b: number }>({ left: "a", right: "b" });
export const some = [limit<string>(3), topK<{ a: number }>({ k: 3, by: "a" }), sort<{ a: number }>({ by: "a" })];
export const pairs = zip<string, number>();
export const all = union<{ a: string; b: number }>();
export const groups = cogroup<{ a: number }, { b: number }, number>({
  left: "a",
  right: "b",
  combine: (_k, l, r) => l.length + r.length,
});
export const csvSink = writeCsv("out");
export const range = q.read("h", numberRange(0, 3));
