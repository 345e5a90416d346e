import { parquetMetadata } from "hyparquet";
import { createRequire } from "node:module";
import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { writeParquet } from "../../../operators/sinks/parquet.ts";
import { contentsOf, fileSinkContract, inFolder, runSink } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("parquet sink");
const pl = createRequire(import.meta.url)("nodejs-polars") as typeof import("nodejs-polars").default;

const rows = [
  { id: 1n, name: "a", score: 0.5 },
  { id: 9_007_199_254_740_993n, name: null, score: null },
];
fileSinkContract<unknown>(test, (path, options) => writeParquet(path, options), [
  rows,
  [{ id: 3n, name: "c", score: 1 }],
]);

test("writes objects, Arrow and Polars, with all digits", () =>
  inFolder(async (folder) => {
    const batches = await loadBatches();
    for (const [index, objects] of [
      rows,
      [batches.fromObjects(rows, "arrow")],
      [batches.fromObjects(rows, "polars")],
    ].entries()) {
      const result = await runSink(writeParquet<unknown>(`${folder}/${index}`), [objects]);
      assert.is(result?.rows, 2);
      assert.equal(batches.toObjects(pl.readParquet(result?.files[0] ?? "")), rows);
    }
  }));

test("makes row groups of the size it is told, and leaves no temporary file", () =>
  inFolder(async (folder) => {
    const objects = Array.from({ length: 2500 }, (_, n) => ({ n }));
    await runSink(writeParquet<unknown>(folder, { rowGroupRows: 1000, compression: "zstd" }), [objects], { size: 700 });
    const [name, text = ""] = Object.entries(await contentsOf(folder))[0] ?? [];
    assert.is(name, "part-00000.parquet");
    const bytes = Buffer.from(text, "latin1");
    const { row_groups: groups } = parquetMetadata(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
    assert.equal(
      groups.map((group) => Number(group.num_rows)),
      [1000, 1000, 500],
    );
  }));

test("takes types from all objects of a file, and refuses what has no columns", () =>
  inFolder(async (folder) => {
    const batches = await loadBatches();
    const result = await runSink(writeParquet<unknown>(`${folder}/a`), [[{ a: null }, { a: 1, b: "x" }]], { size: 1 });
    assert.equal(batches.toObjects(pl.readParquet(result?.files[0] ?? "")), [
      { a: null, b: null },
      { a: 1, b: "x" },
    ]);
    try {
      await runSink(writeParquet<unknown>(`${folder}/b`), [[1]]);
      assert.unreachable();
    } catch (error) {
      assert.is((error as QStreamError).code, "BAD_INPUT");
    }
    const circular: Record<string, unknown> = { a: 1 };
    circular["self"] = circular;
    const failure: unknown = await runSink(writeParquet<unknown>(`${folder}/c`), [[circular]]).catch((error) => error);
    assert.match(String(failure), /circular.*column "self"/s);
  }));

test.run();
