// specs: timeout 400 s
// Streams far larger than what may be held: sorts that spill many runs, spools that go to disk, and a long stream into a
// slow consumer. Results are checked by sums; resident memory is watched, and the disk is empty afterwards.

import * as assert from "uvu/assert";
import {
  broadcast,
  defineFlow,
  hash,
  local,
  numbers,
  type Operator,
  type OperatorDefinition,
  type Task,
} from "../../lib/index.ts";
import { loadBatches, loadedBatches } from "../../lib/core/batch/index.ts";
import { reader } from "../../readers/reader.ts";
import { suite } from "../kit/suite.ts";
import { ownTemporaryFolder } from "./temporary-folder.ts";

const test = suite("large data");

type Entry = { key: number; text: string };
type Check = { count: number; outOfOrder: number; sum: number };

const entryOf = (n: number): Entry => ({ key: Math.imul(n, 0x9e3779b1) >>> 0, text: `entry ${n} with some text` });

/** Counts objects or rows, and those that are smaller than the one before. */
class InOrder implements Operator<{ in: Entry }, Check> {
  #check = { count: 0, outOfOrder: 0, sum: 0 };
  #last = -1;

  execute({ objects }: Task<{ in: Entry }>): void {
    const batches = loadedBatches();
    for (const object of objects) {
      if (typeof object.key === "number") this.#take(object.key);
      else if (batches !== undefined) for (const row of batches.toObjects(object)) this.#take(row["key"] as number);
    }
  }

  done(): readonly Check[] {
    return [this.#check];
  }

  #take(key: number): void {
    this.#check.count += 1;
    this.#check.sum = (this.#check.sum + key) % 1_000_003;
    if (key < this.#last) this.#check.outOfOrder += 1;
    this.#last = key;
  }
}

function sumOfKeys(count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum = (sum + entryOf(n).key) % 1_000_003;
  return sum;
}

/** Entries as batches of 4,096 rows. */
const batchesOfEntries = (count: number, form: "arrow" | "polars") =>
  reader({
    kind: "batches of entries",
    options: { count, form },
    splits: () => Array.from({ length: Math.ceil(count / 4096) }, (_, part) => part),
    async *read(part) {
      const batches = await loadBatches();
      const rows = Array.from({ length: Math.min(4096, count - part * 4096) }, (_, n) => entryOf(part * 4096 + n));
      yield batches.fromObjects(rows, form) as Entry;
    },
  });

const bigSort = defineFlow(
  import.meta.url,
  (q, args: { count: number; form: "objects" | "arrow" | "polars"; memoryBytes: number }) => {
    const { count, form, memoryBytes } = args;
    const entries =
      form === "objects"
        ? q.read("numbers", numbers(0, count)).map("entry", entryOf)
        : q.read("batches", batchesOfEntries(count, form));
    return {
      check: entries
        .sort("sort", "key", { memoryBytes })
        .apply("in order?", () => new InOrder(), { channels: 1 })
        .collect(),
    };
  },
);

/** Runs a body and returns by how many MiB this process, with its threads, grew at most. */
async function growth(body: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  try {
    await body();
  } finally {
    clearInterval(timer);
  }
  return (most - before) / 2 ** 20;
}

const temporary = ownTemporaryFolder();
test.after(() => temporary.remove());

for (const [form, count, memoryBytes] of [
  ["objects", 1_000_000, 4 << 20],
  ["objects", 100_000, 20_000],
  ["arrow", 400_000, 2 << 20],
  ["polars", 400_000, 2 << 20],
] as const) {
  test(`${count} ${form} are sorted with ${memoryBytes} bytes of memory`, async () => {
    await using on = await local({ slots: 2, isolation: "thread" });
    const grown = await growth(async () => {
      const { check } = await bigSort.run({ count, form, memoryBytes }, { on });
      assert.equal(check, [{ count, outOfOrder: 0, sum: sumOfKeys(count) }]);
    });
    assert.ok(grown < 700, `memory grew by ${Math.round(grown)} MiB`);
    assert.equal(await temporary.left(), [], "no run is left on disk");
  }, 120_000);
}

/** Reads a whole stream before its other input, which is the same stream: all of it has to wait on disk. */
class AfterAll implements Operator<{ first: Entry; later: Entry }, Check> {
  #sums = { first: 0, later: 0 };
  #count = 0;
  execute({ input, objects }: Task<{ first: Entry; later: Entry }>): void {
    for (const { key } of objects) this.#sums[input] = (this.#sums[input] + key) % 1_000_003;
    if (input === "later") this.#count += objects.length;
  }
  done(): readonly Check[] {
    return [{ count: this.#count, outOfOrder: 0, sum: this.#sums.first === this.#sums.later ? this.#sums.later : -1 }];
  }
}

const spooled = defineFlow(import.meta.url, (q, { count }: { count: number }) => {
  const entries = q.read("numbers", numbers(0, count), { channels: 1 }).map("entry", entryOf);
  const after = q.apply("after", { first: entries, later: entries }, () => new AfterAll(), {
    channels: 1,
    stages: { later: 1 },
  });
  return { check: after.collect() };
});

for (const isolation of ["thread", "process"] as const) {
  test(`1,500,000 objects wait on disk for a stage of their own stream, isolation ${isolation}`, async () => {
    await using on = await local({ slots: 2, isolation });
    const count = 1_500_000;
    const grown = await growth(async () => {
      const execution = await spooled.start({ count }, { on, limits: { spoolMemoryBytes: 1 << 20 } });
      const { check } = await execution.outputs;
      assert.equal(check, [{ count, outOfOrder: 0, sum: sumOfKeys(count) }]);
      const bytes = execution.metrics?.channels.reduce((sum, { metrics }) => sum + metrics.spooledBytes, 0) ?? 0;
      assert.ok(bytes > 25 << 20, `${bytes} bytes spooled`);
    });
    assert.ok(grown < 400, `memory grew by ${Math.round(grown)} MiB`);
    assert.equal(await temporary.left(), [], "no spool is left on disk");
  }, 120_000);
}

/** Takes its time for every parcel. */
const slowSum = (): OperatorDefinition<{ in: Entry }, Check> => ({
  kind: "slow sum",
  declares: "confluent",
  parallelism: "per-slot",
  representations: ["objects"],
  create: () => {
    let [count, sum] = [0, 0];
    return {
      execute: ({ objects }: Task<{ in: Entry }>) => {
        for (const { key } of objects) sum = (sum + key) % 1_000_003;
        count += objects.length;
        // The context's clock stands still during a task.
        for (const until = performance.now() + 1; performance.now() < until;);
      },
      done: () => [{ count, outOfOrder: 0, sum }],
    };
  },
});

const long = defineFlow(import.meta.url, (q, { count }: { count: number }) => ({
  checks: q
    .read("numbers", numbers(0, count))
    .map("entry", entryOf)
    .partition(hash("key"))
    .apply("slow", slowSum(), { channels: 4 })
    .collect(),
  copies: q
    .read("few", numbers(0, 1000))
    .partition(broadcast())
    .apply("all", () => new Copies(), { channels: 8 })
    .collect(),
}));

class Copies implements Operator<{ in: number }, number> {
  #count = 0;
  execute({ objects }: Task<{ in: number }>): void {
    this.#count += objects.length;
  }
  done(): readonly number[] {
    return [this.#count];
  }
}

for (const isolation of ["none", "thread", "process"] as const) {
  test(`5,000,000 objects go to a slow operator within bounded memory, isolation ${isolation}`, async () => {
    await using on = await local({ slots: 2, isolation });
    const count = 5_000_000;
    const grown = await growth(async () => {
      const execution = await long.start({ count }, { on });
      const { checks, copies } = await execution.outputs;
      assert.is(
        checks.reduce((sum, check) => sum + check.count, 0),
        count,
      );
      assert.is(checks.reduce((sum, check) => sum + check.sum, 0) % 1_000_003, sumOfKeys(count));
      assert.equal(
        copies,
        Array.from({ length: 8 }, () => 1000),
      );
      const bytes = execution.metrics?.channels.reduce((sum, { metrics }) => sum + metrics.spooledBytes, 0) ?? 0;
      assert.is(bytes, 0, "a slow consumer writes nothing to disk");
    });
    assert.ok(grown < 400, `memory grew by ${Math.round(grown)} MiB`);
  }, 180_000);
}

test.run();
