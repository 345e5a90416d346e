import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { jsonText } from "../../../operators/sinks/files/json-text.ts";
import { writeJsonLines } from "../../../operators/sinks/json-lines.ts";
import { contentsOf, fileSinkContract, inFolder, runSink } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("json lines sink");

fileSinkContract<unknown>(test, (path, options) => writeJsonLines(path, options), [[{ a: 1 }, 2], [[3]]]);

test("writes what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 200 },
  );
  assert.is(
    jsonText({ a: undefined, d: new Date(0), f: Float64Array.of(1, 2) }),
    '{"d":"1970-01-01T00:00:00.000Z","f":[1,2]}',
  );
});

test("keeps all digits of bigints, of objects, Arrow and Polars alike", () =>
  inFolder(async (folder) => {
    const batches = await loadBatches();
    const rows = [{ id: 9_007_199_254_740_993n, name: null }];
    const expected = '{"id":9007199254740993,"name":null}\n';
    for (const [index, objects] of [
      rows,
      [batches.fromObjects(rows, "arrow")],
      [batches.fromObjects(rows, "polars")],
    ].entries()) {
      await runSink(writeJsonLines<unknown>(`${folder}/${index}`), [objects]);
      assert.equal(await contentsOf(`${folder}/${index}`), { "part-00000.jsonl": expected });
    }
  }));

test("refuses what JSON would lose", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  for (const value of [{ n: Number.NaN }, { m: new Map() }, { f: () => 1 }, undefined, circular]) {
    assert.throws(
      () => jsonText(value),
      (error: unknown) => error instanceof QStreamError && error.code === "BAD_INPUT",
    );
  }
});

test.run();
