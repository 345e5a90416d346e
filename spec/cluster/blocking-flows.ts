import { existsSync, writeFileSync } from "node:fs";
import { defineFlow, numbers } from "qstream";

export interface Blocking {
  readonly count: number;
  /** A file: threads are kept until it is there. One beside it says of each that it is kept now. */
  readonly gate: string;
}

type How = "works" | "waits";

/** Sums behind a step that keeps the threads of two slots. */
export const blockedSums = defineFlow(import.meta.url, (q, { count, gate }: Blocking) => ({
  sums: q
    .read("numbers", numbers(0, count), { channels: 2 })
    .map("block", (n) => {
      if (n === 0) block("works", gate);
      if (n === count / 2) block("waits", gate);
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

function block(how: How, gate: string): void {
  writeFileSync(`${gate}-${how}`, "");
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(gate)) if (how === "waits") Atomics.wait(nobody, 0, 0, 20);
}
