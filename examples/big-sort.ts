/**
 * A sort bigger than its memory limit: what doesn't fit is sorted in runs on disk, which are merged at the end.
 *
 *     node dist/examples/big-sort.js
 *     npx qstream run examples/big-sort.ts --arg objects=1000000
 *
 * The sort may hold 1 MiB, and gets 28 MB of objects. (Without `memoryBytes` it is the execution's limit `stateBytes`.)
 * Nothing is collected either: an operator behind the sort checks, as objects come, that none is smaller than the one
 * before.
 */
import { pathToFileURL } from "node:url";
import { defineFlow, numbers, single, type Operator, type Stateful, type Task } from "qstream";

/** A record that is found at a random place of the order. */
export type Entry = { readonly key: number; readonly text: string };

export type Check = { readonly objects: number; readonly outOfOrder: number; readonly keySum: bigint };

/** The entry of this number; no two have the same key, as an odd multiplier permutes the 32-bit numbers. */
export function entryOf(number: number): Entry {
  const key = Math.imul(number, 0x9e3779b1) >>> 0;
  return { key, text: `entry ${number} with a text that takes some room in memory` };
}

/** Compares each object with the one before it. */
class InOrder implements Operator<{ in: Entry }, Check>, Stateful<Check & { last: number }> {
  #seen = { objects: 0, outOfOrder: 0, keySum: 0n, last: -1 };

  execute({ objects }: Task<{ in: Entry }>): void {
    for (const { key } of objects) {
      this.#seen.objects += 1;
      this.#seen.keySum += BigInt(key);
      if (key < this.#seen.last) this.#seen.outOfOrder += 1;
      this.#seen.last = key;
    }
  }

  done(): readonly Check[] {
    const { last: _, ...check } = this.#seen;
    return [check];
  }

  snapshot(): Check & { last: number } {
    return { ...this.#seen };
  }

  restore(seen: Check & { last: number }): void {
    this.#seen = { ...seen };
  }
}

/** Bytes of objects that the sort may hold in memory, by default. */
export const memoryLimit = 1 << 20;

const bigSort = defineFlow(
  import.meta.url,
  { objects: "int32?", memoryBytes: "int32?" },
  (q, { objects = 300_000, memoryBytes = memoryLimit }) => {
    const check = q
      .read("numbers", numbers(0, objects))
      .map("entry", entryOf)
      .sort("sort", "key", { memoryBytes })
      .apply("in order?", () => new InOrder(), { place: single() });
    return { check: check.collect() };
  },
);

export default bigSort;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { check } = await bigSort.run();
  console.log(check[0]);
}
