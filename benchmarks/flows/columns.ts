import type { Table } from "apache-arrow";
import { defineFlow, hash, type Operator, type PartitionFunction, type Reader, type Task } from "qstream";
import { addSums, drawBatch, noSums, sumTable, type ColumnSums } from "../data/columns.ts";

export interface ColumnsArguments {
  readonly seed: number;
  readonly batches: number;
  readonly from: string;
  /** How often the same batches are sent; once unless told. */
  readonly passes?: number;
}

/** Batches that were drawn in this slot for the next exchange: drawing them is no part of its time. */
const drawn = new Map<string, Table>();

/** Draws batches in the slot that will send them. */
export const drawColumns = defineFlow(import.meta.url, (q, { seed, batches, from }: ColumnsArguments) => {
  const reader: Reader<number, { readonly slot: string }> = {
    kind: "drawing",
    options: { seed, batches },
    locate: (split) => split.slot,
    splits: () => [{ slot: from }],
    *read() {
      for (let index = 0; index < batches; index++) drawn.set(`${seed}:${index}`, drawBatch(seed, index));
      yield drawn.size;
    },
  };
  return { drawn: q.read("drawing", reader).collect() };
});

function drawnBatches({ seed, batches, from, passes = 1 }: ColumnsArguments): Reader<Table, { readonly slot: string }> {
  return {
    kind: "drawn-batches",
    options: { seed, batches, passes },
    locate: (split) => split.slot,
    splits: () => [{ slot: from }],
    *read() {
      for (let index = 0; index < batches * passes; index++) {
        const name = `${seed}:${index % batches}`;
        const batch = drawn.get(name);
        if (batch === undefined) throw new Error(`batch ${name} wasn't drawn in this slot`);
        if (index >= batches * (passes - 1)) drawn.delete(name);
        yield batch;
      }
    },
  };
}

/**
 * Hash to the channels with odd numbers: with channels dealt to two slots these are all channels of the second one, so that
 * every row leaves the reader's slot.
 */
function hashToOther<T>(key: string): PartitionFunction<T> {
  const byKey = hash<Record<string, never>>(key) as PartitionFunction<unknown> as PartitionFunction<T>;
  return {
    kind: "custom",
    label: `hash(${key}) to the other slot`,
    options: { key },
    router(route) {
      const router = byKey.router({ ...route, channels: route.channels / 2 });
      return {
        objects: () => {
          throw new Error("this exchange is for batches");
        },
        batch(batch, channelOfRow, task) {
          const decision = router.batch(batch, channelOfRow, task);
          if (decision !== undefined) throw new Error("a hash gives every row its channel");
          for (let row = 0; row < channelOfRow.length; row++) channelOfRow[row] = (channelOfRow[row] ?? 0) * 2 + 1;
          return undefined;
        },
      };
    },
  };
}

class SumColumns implements Operator<{ in: Table }, ColumnSums> {
  #sums = noSums;

  execute({ objects }: Task<{ in: Table }>): void {
    for (const table of objects) this.#sums = addSums(this.#sums, sumTable(table));
  }

  done(): ColumnSums[] {
    return [this.#sums];
  }

  snapshot(): ColumnSums {
    return this.#sums;
  }

  restore(sums: ColumnSums): void {
    this.#sums = sums;
  }
}

/** Channels of the other slot that rows are hashed to. */
export const targets = 4;

/** Arrow batches of one slot, hashed to channels of the other one. */
export const columnsAcross = defineFlow(import.meta.url, (q, args: ColumnsArguments) => {
  const sums = q
    .read("batches", drawnBatches(args))
    .partition(hashToOther<Table>("key"))
    .apply("sum", () => new SumColumns(), { channels: targets * 2 });
  return { sums: sums.collect() };
});
