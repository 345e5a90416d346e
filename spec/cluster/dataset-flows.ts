import { dataset, defineFlow, numbers, withData, type Dataset } from "qstream";

/** Squares, kept where they are made. */
export const kept = defineFlow(import.meta.url, (q, { upTo, bytesMax }: { upTo: number; bytesMax: number }) => ({
  squares: q
    .read("numbers", numbers(0, upTo))
    .map("square", (n) => n * n)
    .dataset({ bytesMax }),
}));

/** Reads them where they are, and counts those of each last digit there. */
export const digits = defineFlow(import.meta.url, (q, { squares }: { squares: Dataset<number> }) => ({
  digits: q
    .read("squares", dataset(squares))
    .reduceByKey(
      "digits",
      (n) => n % 10,
      () => 0,
      (count) => count + 1,
      { place: withData() },
    )
    .collect(),
}));
