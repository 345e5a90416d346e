import { closeSync, openSync, readSync } from "node:fs";
import { wordsOf } from "../data/words.ts";

const chunkBytes = 1 << 20;

/** Counts words in one thread: reads 1 MB at a time, and takes it apart up to its last line end. */
export function countWords(path: string): Map<string, number> {
  const counts = new Map<string, { n: number }>();
  const chunk = Buffer.allocUnsafe(chunkBytes + (1 << 16));
  const file = openSync(path, "r");
  try {
    let held = 0;
    for (;;) {
      const read = readSync(file, chunk, held, chunkBytes, null);
      const filled = held + read;
      const end = read === 0 ? filled : chunk.lastIndexOf(10, filled - 1) + 1;
      for (const word of wordsOf(chunk.toString("utf8", 0, end))) {
        const count = counts.get(word);
        if (count === undefined) counts.set(word, { n: 1 });
        else count.n++;
      }
      if (read === 0) break;
      chunk.copy(chunk, 0, end, filled);
      held = filled - end;
    }
  } finally {
    closeSync(file);
  }
  return new Map([...counts].map(([word, { n }]) => [word, n]));
}
