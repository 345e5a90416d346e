import * as assert from "uvu/assert";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { writeLines } from "../../../operators/sinks/lines.ts";
import { contentsOf, fileSinkContract, inFolder, runSink } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("lines sink");

fileSinkContract<string>(test, (path, options) => writeLines(path, options), [["a", "b"], ["ü"]]);

test("writes a line for each object", () =>
  inFolder(async (folder) => {
    await runSink(writeLines<{ n: number }>(folder, { line: ({ n }) => `n=${n}` }), [[{ n: 1 }, { n: 2 }]]);
    await runSink(writeLines<unknown>(folder, { ifExists: "append" }), [[1, 2n, true]], { execution: "x" });
    assert.equal(await contentsOf(folder), { "part-00000.txt": "n=1\nn=2\n", "part-x-00000.txt": "1\n2\ntrue\n" });
  }));

test("refuses what isn't a line of text", () =>
  inFolder(async (folder) => {
    for (const object of ["a\nb", { n: 1 }, null]) {
      try {
        await runSink(writeLines<unknown>(folder), [[object]]);
        assert.unreachable();
      } catch (error) {
        assert.is((error as QStreamError).code, "BAD_INPUT");
      }
    }
  }));

test("starts another file when one has its bytes", () =>
  inFolder(async (folder) => {
    await runSink(writeLines(folder, { bytesPerFile: 4 }), [["aa", "bb", "cc"]], { size: 1 });
    assert.equal(Object.values(await contentsOf(folder)), ["aa\nbb\n", "cc\n"]);
  }));

test("leaves files alone that no sink wrote", () =>
  inFolder(async (folder) => {
    const { writeFile } = await import("node:fs/promises");
    await writeFile(`${folder}/notes.md`, "mine");
    try {
      await runSink(writeLines(folder, { ifExists: "overwrite" }), [["a"]]);
      assert.unreachable();
    } catch (error) {
      assert.is((error as QStreamError).code, "SINK_TARGET_EXISTS");
    }
    assert.equal(await contentsOf(folder), { "notes.md": "mine" });
  }));

test.run();
