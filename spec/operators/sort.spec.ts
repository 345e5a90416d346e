import fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches } from "../../lib/core/batch/index.ts";
import type { DiskFile } from "../../lib/core/seam/disk.ts";
import { sort } from "../../operators/sort.ts";
import { suite } from "../kit/suite.ts";
import { batchTasks, columnar, rowsOf } from "./batches.ts";
import { cut, drive, MemoryDisk, type DrivenTask } from "./drive.ts";

const test = suite("sort");

interface Row {
  readonly text: string | null;
  readonly n: number;
  readonly big: bigint;
  readonly id: number;
}

const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 });
const rows: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      text: fc.option(fc.constantFrom("", "a", "ab", "b", "\u{1f600}", "\uffee", "é")),
      n: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0.5)),
      big: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
    }),
    { maxLength: 120 },
  )
  .map((objects) => objects.map((object, id) => ({ ...object, id })));

/** Text as UTF-8 bytes, numbers with NaN last, what is missing at the end. */
function compareRows(a: Row, b: Row): number {
  if (a.text !== b.text) {
    if (a.text === null || b.text === null) return a.text === null ? 1 : -1;
    return Buffer.compare(Buffer.from(a.text), Buffer.from(b.text));
  }
  const difference = compareNumbers(a.n, b.n);
  if (difference !== 0) return -difference;
  return a.big < b.big ? -1 : a.big > b.big ? 1 : a.id - b.id;
}

function compareNumbers(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

// A total order, so that there is one right result.
const by = ["text", { by: "n", order: "descending" }, "big", "id"] as const;

test("sorts objects in memory and in runs on disk", async () => {
  await fc.assert(
    fc.asyncProperty(
      rows,
      sizes,
      fc.boolean(),
      fc.constantFrom(undefined, 100, 2000),
      async (objects, sizes, restoring, memoryBytes) => {
        const definition = sort<Row>({ by, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
        const result = await drive(definition, cut(objects, sizes), { restoring });
        assert.equal(result, [...objects].sort(compareRows));
      },
    ),
    { numRuns: 60 },
  );
});

for (const representation of columnar) {
  test(`sorts ${representation} batches in memory and in runs on disk`, async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        sizes,
        fc.boolean(),
        fc.constantFrom(undefined, 100, 4000),
        async (objects, sizes, restoring, memoryBytes) => {
          const definition = sort<Row>({ by, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
          const result = await drive(definition, await batchTasks(objects, sizes, representation), { restoring });
          assert.equal(await rowsOf(result), [...objects].sort(compareRows));
        },
      ),
      { numRuns: 15 },
    );
  });
}

test("merges many runs in rounds, and removes its files", async () => {
  const disk = new MemoryDisk();
  const numbers = Array.from({ length: 20_000 }, (_, n) => (n * 7919) % 20_011);
  const definition = sort({ by: (n: number) => n, memoryBytes: 8000 });
  const result = await drive(definition, cut(numbers, [1000]), { context: { spill: disk } });
  assert.equal(
    result,
    [...numbers].sort((a, b) => a - b),
  );
  assert.ok(disk.bytesWritten > 2 * 8 * numbers.length, "wrote runs and merged some of them");
  assert.is(disk.files, 0);
});

test("merges runs of frames in rounds", async () => {
  const disk = new MemoryDisk();
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ n: (n * 7919) % 20_011 }));
  const result = await drive(
    sort<{ n: number }>({ by: "n", memoryBytes: 16_000 }),
    await batchTasks(rows, [1000], "polars"),
    {
      context: { spill: disk },
    },
  );
  assert.equal(
    await rowsOf(result),
    [...rows].sort((a, b) => a.n - b.n),
  );
  assert.is(disk.files, 0);
  const support = await loadBatches();
  assert.ok(Math.max(...result.map((batch) => support.rows(batch))) < 8000, "gave it in parts");
});

type Damage = (bytes: Uint8Array) => Uint8Array;

/** Whatever is read is given to `damage` first. */
function damagedDisk(damage: Damage): MemoryDisk {
  const disk = new MemoryDisk();
  const create = disk.create.bind(disk);
  disk.create = async () => {
    const file = await create();
    return { ...file, read: async (position, length) => damage(await file.read(position, length)) };
  };
  return disk;
}

const changed = (at: number, bit: number): Damage => {
  return (bytes) => bytes.map((byte, index) => (index === Math.floor(at * bytes.length) ? byte ^ (1 << bit) : byte));
};

const damages: fc.Arbitrary<Damage> = fc.oneof(
  fc
    .record({ at: fc.double({ min: 0, max: 0.999_999, noNaN: true }), bit: fc.nat(7) })
    .map(({ at, bit }) => changed(at, bit)),
  fc.nat(20).map(
    (length): Damage =>
      (bytes) =>
        bytes.subarray(0, length),
  ),
  fc.constant<Damage>((bytes) => bytes.subarray(0, -1)),
  fc.constant<Damage>((bytes) => new Uint8Array(bytes.length)),
);

for (const representation of ["objects", ...columnar] as const) {
  const objects = Array.from({ length: 99 }, (_, n) => ({ n: -n, text: `row ${100 + n}` }));
  const tasks = (): Promise<DrivenTask[]> =>
    representation === "objects" ? Promise.resolve(cut(objects, [20])) : batchTasks(objects, [20], representation);

  test(`a block on disk that was changed or cut is found, merged or saved (${representation})`, async () => {
    await fc.assert(
      fc.asyncProperty(damages, fc.boolean(), async (damage, restoring) => {
        const context = { spill: damagedDisk(damage) };
        const failing = drive(sort<{ n: number }>({ by: "n", memoryBytes: 100 }), await tasks(), {
          context,
          restoring,
        });
        assert.is(((await failing.catch((error: unknown) => error)) as { code?: string }).code, "SPOOL_DAMAGED");
      }),
      { numRuns: 15 },
    );
  });

  test(`a block on disk that is another one of the same length is found (${representation})`, async () => {
    const spill = new MemoryDisk();
    const create = spill.create.bind(spill);
    let first: DiskFile | undefined;
    spill.create = async () => {
      const file = await create();
      const held = (first ??= file);
      // As a drive that lost a write and has what was there before.
      return { ...file, read: (position, length) => held.read(position, length) };
    };
    const failing = drive(sort<{ n: number }>({ by: "n", memoryBytes: 100 }), await tasks(), { context: { spill } });
    assert.is(((await failing.catch((error: unknown) => error)) as { code?: string }).code, "SPOOL_DAMAGED");
  });
}

test("a function can't sort batches, and nor can a column that isn't there", async () => {
  const [task] = await batchTasks([{ a: 1 }], [1], "arrow");
  const failing = (definition: ReturnType<typeof sort>): Promise<string> =>
    drive(definition, [task as NonNullable<typeof task>]).then(
      () => "no error",
      (error: unknown) => String(error),
    );
  assert.match(await failing(sort({ by: () => 1 })), /can't read the rows of a columnar batch/);
  assert.match(await failing(sort({ by: "b" as never })), /column "b"/);
  assert.throws(() => sort({ by: () => 1, memoryBytes: 0 }), /can't hold 0 bytes/);
});

test.run();
