// A flow that declares its arguments, prints, and imports a module of its own by relative path.
import { defineFlow, items } from "qstream";
import { knowsItself, loud } from "./helper.ts";

export default defineFlow(import.meta.url, { word: "string", times: "int32?", shout: "boolean?" }, (q, args) => {
  console.log("the builder runs");
  const words = q
    .read(
      "words",
      items(Array.from({ length: args.times ?? 2 }, (_, index) => ({ word: args.word, index: BigInt(index) }))),
    )
    .map("loud", ({ word, index }) => ({ word: args.shout === false ? word : loud(word), index, knowsItself }));
  return { words: words.sort("by-index", "index").collect() };
});

export const untyped = defineFlow(import.meta.url, (q, args: { word: string }) => ({
  words: q.read("words", items([args.word, typeof args.word])).collect(),
}));

export const nothing = defineFlow(import.meta.url, (q) => ({ none: q.read("nothing", items<number>([])).collect() }));
