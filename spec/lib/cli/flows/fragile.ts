// Fails behind some numbers until a file is there.
import { existsSync } from "node:fs";
import { defineFlow, reader, run, type Reader, type Run } from "qstream";

function numbersUntil(marker: string): Reader<number, number> {
  return reader({
    splits: () => Array.from({ length: 10 }, (_, index) => index * 10),
    *read(first, _ctx, from): Generator<Run<number>> {
      // A split that has begun is read to its end before channels change.
      if (first === 60 && !existsSync(marker)) throw new Error(`there is no ${marker}`);
      for (let n = typeof from?.after === "number" ? from.after : first; n < first + 10; n++) yield run([n], n + 1);
    },
  });
}

export default defineFlow(import.meta.url, { marker: "string" }, (q, { marker }) => ({
  sums: q
    .read("numbers", numbersUntil(marker), { channels: 1 })
    .reduceByKey(
      "sums",
      (n) => n % 10,
      () => 0,
      (sum, n) => sum + n,
    )
    .collect(),
}));

/** The same numbers, written to a folder. */
export const writing = defineFlow(import.meta.url, { marker: "string", out: "string" }, (q, { marker, out }) => ({
  written: q.read("numbers", numbersUntil(marker), { channels: 1 }).toJsonLines(out),
}));
