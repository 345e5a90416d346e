import { defineFlow, numbers } from "qstream";

/** Keyed sums, collected. */
export const sums = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  sums: q
    .read("numbers", numbers(0, upTo))
    .map("pair", (n) => ({ key: n % 7, value: n }))
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

/** The same, slowly: each number of a thousand takes its channel some milliseconds. */
export const slowSums = defineFlow(import.meta.url, (q, { upTo }: { upTo: number }) => ({
  sums: q
    .read("numbers", numbers(0, upTo))
    .map("slow", (n) => {
      if (n % 1000 === 0) {
        const until = performance.now() + 5;
        while (performance.now() < until);
      }
      return { key: n % 7, value: n };
    })
    .reduceByKey(
      "sum",
      ({ key }) => key,
      () => 0,
      (sum, { value }) => sum + value,
    )
    .collect(),
}));

/** What they are to give. */
export function sumsOf(upTo: number): { key: number; value: number }[] {
  const sums = Array.from({ length: Math.min(7, upTo) }, (_, key) => ({ key, value: 0 }));
  for (let n = 0; n < upTo; n++) {
    const sum = sums[n % 7];
    if (sum !== undefined) sum.value += n;
  }
  return sums;
}
