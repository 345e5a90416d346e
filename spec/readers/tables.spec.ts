import { type Table, tableFromArrays } from "apache-arrow";
import type { DataFrame } from "nodejs-polars";
import * as assert from "uvu/assert";
import { loadBatches, loadedBatches } from "../../lib/core/batch/index.ts";
import { loadPolars } from "../../lib/core/batch/libraries.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { arrowTable, polarsFrame } from "../../readers/tables.ts";
import { readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("readers of tables in memory");

async function batchesOf<T>(reader: Reader<T>): Promise<T[]> {
  const splits = await reader.splits({ channels: 2, files: openFileSystem(), signal: new AbortController().signal });
  const found: T[] = [];
  for (const split of splits) {
    for await (const reading of reader.read(split, testContext())) found.push(reading as T);
  }
  return found;
}

const numbers = Int32Array.from({ length: 1000 }, (_, n) => n);

test("arrowTable gives all rows as tables of splitRows rows", async () => {
  for (const source of [tableFromArrays({ n: numbers }), () => tableFromArrays({ n: numbers })]) {
    const tables: Table[] = await batchesOf(arrowTable(source, { splitRows: 300 }));
    assert.equal(
      tables.map((table) => table.numRows),
      [300, 300, 300, 100],
    );
    assert.equal(
      tables.flatMap((table) => [...(table.getChild("n") ?? [])] as number[]),
      [...numbers],
    );
  }
});

test("polarsFrame gives all rows as frames of splitRows rows", async () => {
  const polars = loadPolars();
  const frames: DataFrame[] = await batchesOf(
    polarsFrame(() => polars.DataFrame({ n: [...numbers] }), { splitRows: 400 }),
  );
  assert.equal(
    frames.map((frame) => frame.height),
    [400, 400, 200],
  );
  const batches = await loadBatches();
  assert.equal(
    frames.flatMap((frame) => batches.toObjects(frame).map((row) => row["n"])),
    [...numbers],
  );
});

test("an empty table has no splits, and a wrong splitRows is refused", async () => {
  assert.equal(await batchesOf(arrowTable(tableFromArrays({ n: new Int32Array() }))), []);
  assert.throws(
    () => arrowTable(tableFromArrays({ n: numbers }), { splitRows: 0 }),
    (error: unknown) => error instanceof QStreamError && error.code === "OPTION_INVALID",
  );
});

test("a table that isn't the same in every slot is noticed", async () => {
  const reader = arrowTable(tableFromArrays({ n: numbers }));
  let thrown: unknown;
  try {
    for await (const reading of reader.read({ first: 0, end: 5, rows: 999 }, testContext()))
      assert.unreachable(String(reading));
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof QStreamError && thrown.code === "BUILDER_IMPURE");
});

test.before(async () => void (await loadBatches()));
const plainRows = (batch: unknown): readonly unknown[] => loadedBatches()?.toObjects(batch) ?? [];
readerContract(test, "arrowTable", () => arrowTable(tableFromArrays({ n: numbers }), { splitRows: 300 }), plainRows);
readerContract(
  test,
  "polarsFrame",
  () => polarsFrame(() => loadPolars().DataFrame({ n: [...numbers] }), { splitRows: 300 }),
  plainRows,
);

test.run();
