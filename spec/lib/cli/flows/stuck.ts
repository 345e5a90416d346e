// Flows that don't end by themselves.
import { defineFlow, items, iterable } from "qstream";

/** Yields to the event loop, for ever. */
export const endless = defineFlow(import.meta.url, (q) => ({
  out: q
    .read(
      "ticks",
      iterable(async function* ({ signal }) {
        console.error("running");
        for (let tick = 0; !signal.aborted; tick++) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          yield tick;
        }
      }),
    )
    .forEach(() => {}),
}));

/** Never gives its thread back. */
export const busy = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("one", items([1]), { channels: 1 })
    .map("spin", (n) => {
      console.error("running");
      for (let turn = 0; ; turn++) if (turn < 0) return n;
    })
    .collect(),
}));

/** Keeps more than a slot may. */
export const hungry = defineFlow(import.meta.url, (q) => ({
  out: q
    .read("one", items([1]), { channels: 1 })
    .map("eat", (n) => {
      // Of small objects: where one of them is large, Node 24 may end the process instead of the thread.
      let kept: unknown = n;
      for (let count = 0; ; count++) {
        kept = [kept, count];
        if (count < 0) return kept;
      }
    })
    .collect(),
}));
