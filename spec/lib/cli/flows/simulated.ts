// Flows for `qstream simulate`: one whose result is always the same, and one that takes what comes first.
import { defineFlow, numbers } from "qstream";

export default defineFlow(import.meta.url, (q, { upTo }: { upTo: string }) => ({
  sums: q
    .read("numbers", numbers(0, Number(upTo)))
    .reduceByKey(
      "sums",
      (value) => value % 5,
      () => 0,
      (sum, value) => sum + value,
    )
    .collect(),
}));

export const first = defineFlow(import.meta.url, (q) => ({
  first: q.read("numbers", numbers(0, 300)).limit("first", 3).collect(),
}));
