import { defineFlow, lines } from "qstream";
import { wordsOf } from "../data/words.ts";

export const wordcount = defineFlow(import.meta.url, (q, args: { path: string }) => {
  const counts = q
    .read("lines", lines(args.path))
    .flatMap("words", (line) => wordsOf(line))
    .reduceByKey(
      "count",
      (word) => word,
      () => 0,
      (n) => n + 1,
      { merge: (left, right) => left + right },
    );
  return { counts: counts.collect() };
});
