import { type Table, tableFromArrays, tableFromIPC } from "apache-arrow";
import { readFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { writeArrow } from "../../../operators/sinks/arrow.ts";
import { fileSinkContract, inFolder, runSink } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("arrow sink");

const rows = [
  { id: 1n, name: "a" },
  { id: 9_007_199_254_740_993n, name: null },
];
fileSinkContract<unknown>(test, (path, options) => writeArrow(path, options), [rows, [{ id: 3n, name: "c" }]]);

test("writes objects, Arrow and Polars in both formats, with all digits", () =>
  inFolder(async (folder) => {
    const batches = await loadBatches();
    for (const format of ["file", "stream"] as const) {
      for (const [index, objects] of [
        rows,
        [batches.fromObjects(rows, "arrow")],
        [batches.fromObjects(rows, "polars")],
      ].entries()) {
        const result = await runSink(writeArrow<unknown>(`${folder}/${format}${index}`, { format }), [objects]);
        const [path = ""] = result?.files ?? [];
        assert.ok(path.endsWith(format === "file" ? ".arrow" : ".arrows"));
        assert.equal(batches.toObjects(tableFromIPC(await readFile(path))), rows);
      }
    }
  }));

test("puts batches with dictionaries of their own into one file", () =>
  inFolder(async (folder) => {
    const batches = await loadBatches();
    const tables: Table[] = [tableFromArrays({ s: ["a", "b"] }), tableFromArrays({ s: ["c", "b"] })];
    const result = await runSink(writeArrow<Table>(folder), [tables]);
    const table = tableFromIPC(await readFile(result?.files[0] ?? ""));
    assert.equal(
      batches.toObjects(table).map((row) => row["s"]),
      ["a", "b", "c", "b"],
    );
  }));

test.run();
