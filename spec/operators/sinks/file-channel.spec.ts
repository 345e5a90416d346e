import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openFileSystem } from "../../../lib/files/index.ts";
import { testContext } from "../../../lib/testing/test-context.ts";
import { writeCsv } from "../../../operators/sinks/csv.ts";
import { inFolder } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("channels of file sinks");

const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: `row ${id}` }));

test("abort waits for a file that is just made, and removes it", async () => {
  await inFolder(async (folder) => {
    const ctx = testContext({ files: openFileSystem() });
    const channel = await writeCsv<unknown>(folder, { rowsPerFile: 1000 }).open(ctx);
    const writing = channel.write(rows, ctx);
    const [outcome] = await Promise.allSettled([writing, channel.abort?.()]);
    assert.is(outcome.status, "rejected");
    assert.equal(await readdir(folder), []);
  });
});

test("abort at any time of writing leaves nothing", async () => {
  await inFolder(async (folder) => {
    for (const turns of [1, 5, 20, 60, 150]) {
      const ctx = testContext({ files: openFileSystem() });
      const channel = await writeCsv<unknown>(join(folder, String(turns)), { rowsPerFile: 1000 }).open(ctx);
      const writing = Promise.resolve(channel.write(rows, ctx)).then(() => channel.done?.(ctx));
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      await Promise.allSettled([writing, channel.abort?.()]);
      assert.equal(await readdir(join(folder, String(turns))), [], `after ${turns} turns`);
    }
  });
});

test.run();
