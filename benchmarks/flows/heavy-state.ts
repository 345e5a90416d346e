import { setTimeout as sleep } from "node:timers/promises";
import type { Table } from "apache-arrow";
import {
  aggregate,
  count,
  defineFlow,
  hash,
  sum,
  type AggregatesOf,
  type ArrowBatch,
  type Operator,
  type Reader,
  type Task,
} from "qstream";
import { batchRows } from "../data/columns.ts";
import { drawSide, type SideShape } from "../data/spread.ts";

export interface HeavyStateArguments {
  readonly seed: number;
  /** Batches of the side that the join keeps: each key once. */
  readonly kept: number;
  /** Batches of the side that passes by it. */
  readonly passing: number;
  /** Milliseconds from one batch of a channel to its next. */
  readonly everyMs: number;
}

type Kept = ArrowBatch<{ key: number; a: number; b: number; c: number; d: number; e: number; f: number }>;
type Passing = ArrowBatch<{ key: number; amount: number }>;
type Joined = ArrowBatch<{ key: number; amount: number; a: number; b: number; c: number; d: number }>;

/** What came out: how many groups of how many rows, and a digest that depends on every group's sums. */
export interface GroupsDigest {
  readonly groups: number;
  readonly rows: number;
  readonly digest: number;
}

function side<T extends Table>(shape: SideShape, batches: number, everyMs: number): Reader<T, number> {
  return {
    kind: shape.distinct ? "kept-side" : "passing-side",
    options: { ...shape, batches },
    splits: () => Array.from({ length: batches }, (_, index) => index),
    async *read(index) {
      if (everyMs > 0) await sleep(everyMs);
      yield drawSide(shape, index) as T;
    },
  };
}

class Digest implements Operator<{ in: Table }, GroupsDigest> {
  #digest: GroupsDigest = { groups: 0, rows: 0, digest: 0 };

  execute({ objects }: Task<{ in: Table }>): void {
    let { groups, rows, digest } = this.#digest;
    for (const table of objects) {
      const column = (name: string): readonly (number | bigint)[] => table.getChild(name)?.toArray() ?? [];
      const [key, count, amount, a] = ["key", "rows", "amount", "a"].map(column);
      for (let row = 0; row < table.numRows; row++) {
        rows += Number(count?.[row]);
        const sums = Math.imul(Number(amount?.[row]), 0x85ebca6b) ^ Math.imul(Number(a?.[row]), 0xc2b2ae35);
        digest += (Math.imul(Number(key?.[row]) + 1, 0x9e3779b1) ^ sums) >>> 8;
      }
      groups += table.numRows;
    }
    this.#digest = { groups, rows, digest };
  }

  done(): GroupsDigest[] {
    return [this.#digest];
  }

  snapshot(): GroupsDigest {
    return this.#digest;
  }

  restore(digest: GroupsDigest): void {
    this.#digest = digest;
  }
}

/**
 * A join that keeps one side, and an aggregate with a group for each key of it: the state of both grows to hundreds of
 * megabytes a channel.
 */
export const heavyState = defineFlow(import.meta.url, (q, args: HeavyStateArguments) => {
  const { seed, kept, passing, everyMs } = args;
  const keys = kept * batchRows;
  const keptShape = { seed, measures: ["a", "b", "c", "d", "e", "f"], keys, distinct: true };
  const passingShape = { seed: seed + 1, measures: ["amount"], keys, distinct: false };
  const right = q.read("kept", side<Kept>(keptShape, kept, everyMs));
  const left = q.read("passing", side<Passing>(passingShape, passing, everyMs));
  const groups = left
    .join("join", right, { left: "key", right: "key" })
    .map("typed", (table) => table as unknown as Joined)
    .partition(hash("key"))
    .apply(
      "groups",
      aggregate<Joined, "key", AggregatesOf<Joined>>({
        by: "key",
        aggregates: { rows: count(), amount: sum("amount"), a: sum("a"), b: sum("b"), c: sum("c"), d: sum("d") },
      }),
    );
  const tables = groups.map("table", (table) => table as unknown as Table);
  return { digests: tables.apply("digests", () => new Digest()).collect() };
});
