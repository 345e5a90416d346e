// Fails in a slot, on line 8 of this file.
import { defineFlow, items } from "qstream";

type Text = string | undefined;

function explode(word: Text): number {
  // The line that errors must name:
  throw new RangeError(`${word} is too much`);
}

export default defineFlow(import.meta.url, (q) => ({
  out: q
    .read("words", items(["dynamite"]))
    .map("explode", explode)
    .collect(),
}));
