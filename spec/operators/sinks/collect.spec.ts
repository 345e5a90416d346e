import { type Table, tableFromArrays } from "apache-arrow";
import * as assert from "uvu/assert";
import { loadBatches, representationOf } from "../../../lib/core/batch/index.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { collect } from "../../../operators/sinks/collect.ts";
import { runSink, sinkContract } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("collect sink");

const rows = [
  { id: 1n, name: "a" },
  { id: 9_007_199_254_740_993n, name: null },
];
sinkContract(test, () => collect<unknown>(), [[1, 2], [], ["x"]]);

test("gives all objects, by channel", async () => {
  assert.equal(await runSink(collect<number>(), [[1, 2], [], [3]]), [1, 2, 3]);
});

test("makes one table or frame of objects and of batches, with all digits", async () => {
  const batches = await loadBatches();
  const table = batches.fromObjects(rows, "arrow") as Table;
  const frame = batches.fromObjects(rows, "polars");
  for (const as of ["arrow", "polars"] as const) {
    for (const objects of [rows, [table], [frame], [table, frame]] as unknown[][]) {
      const result = await runSink(collect<unknown, typeof as>({ as }), [objects, []]);
      assert.is(representationOf(result), as);
      const expected = objects.length === 2 && objects[0] === table ? [...rows, ...rows] : rows;
      assert.equal(batches.toObjects(result), expected);
    }
  }
});

test("gives null where a batch of another channel lacks a column", async () => {
  const batches = await loadBatches();
  const lists = [[batches.fromObjects([{ a: "x", b: 1 }], "arrow")], [batches.fromObjects([{ a: "y" }], "arrow")]];
  const result = await runSink(collect<unknown, "arrow">({ as: "arrow" }), lists);
  assert.equal(batches.toObjects(result), [
    { a: "x", b: 1 },
    { a: "y", b: null },
  ]);
});

test("takes batches apart into objects, or leaves them as they are", async () => {
  const table = tableFromArrays({ n: Int32Array.of(1, 2) });
  assert.equal(await runSink(collect<Table, "objects">({ as: "objects" }), [[table]]), [{ n: 1 }, { n: 2 }]);
  assert.equal(await runSink(collect<Table>(), [[table]]), [table]);
});

test("refuses more bytes than its limit, and names the setting", async () => {
  for (const lists of [[["x".repeat(2000)]], [["x".repeat(600)], ["x".repeat(600)]]]) {
    try {
      await runSink(collect<string>({ bytesMax: 1000 }), lists);
      assert.unreachable();
    } catch (error) {
      assert.is((error as QStreamError).code, "COLLECT_LIMIT");
      assert.match((error as QStreamError).message, "bytesMax");
    }
  }
});

test.run();
