// What recovery of file sinks says, keeps and removes, beside what the files hold in the end.

import { createRequire } from "node:module";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { FileSinkOptions } from "../../../operators/sinks/files/format.ts";
import { writeCsv } from "../../../operators/sinks/csv.ts";
import { writeParquet } from "../../../operators/sinks/parquet.ts";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import { openFileSystem } from "../../../lib/files/index.ts";
import { contentsOf, inFolder } from "../../contract/sink.ts";
import { failure } from "../../kit/failure.ts";
import { suite } from "../../kit/suite.ts";
import { filesResume, Lives, type LivesOptions } from "./lives.ts";
import { type MakeSink, objectTasks, wideTasks } from "./recovery-contract.ts";

const test = suite("recovery of file sinks");
const pl = createRequire(import.meta.url)("nodejs-polars") as typeof import("nodejs-polars").default;
const batches = await loadBatches();
const csv: MakeSink = (path, options) => writeCsv(path, options);
const parquet: MakeSink = (path, options) => writeParquet(path, options);

async function inLives(
  make: MakeSink,
  tasks: readonly (readonly unknown[])[],
  options: FileSinkOptions & LivesOptions,
  body: (lives: Lives, folder: string) => Promise<void>,
): Promise<void> {
  const { execution: _execution, step: _step, channel: _channel, channels: _channels, ...ofSink } = options;
  await inFolder(async (folder) => {
    const lives = new Lives(make(folder, ofSink), tasks, options);
    try {
      await body(lives, folder);
    } finally {
      await lives.close();
    }
  });
}

test("an abort removes what all lives have left", async () => {
  if (!filesResume) return;
  for (const make of [csv, parquet]) {
    await inLives(make, wideTasks, { rowsPerFile: 4 }, async (lives, folder) => {
      await lives.lose(4, 6);
      const last = await lives.begin();
      await lives.write(last, last.next, last.next + 1);
      assert.ok((await readdir(folder)).length > 2);
      await last.channel.abort?.();
      assert.equal(await contentsOf(folder), {});
    });
  }
});

test("rows that were kept aside are removed some checkpoints after their file is made", async () => {
  if (!filesResume) return;
  await inLives(parquet, wideTasks, { rowsPerFile: 10 }, async (lives, folder) => {
    const life = await lives.begin();
    const aside = async (): Promise<number> => (await readdir(folder)).filter((name) => name.includes(".rows-")).length;
    for (let seq = 0; seq < 4; seq += 1) {
      await lives.write(life, seq, seq + 1);
      await lives.save(life, seq + 1);
    }
    assert.ok((await aside()) > 0);
    for (let more = 0; more < 3; more += 1) await lives.save(life, 4);
    assert.is(await aside(), 0);
  });
});

test("a life that goes on late doesn't touch rows that others have kept aside, whatever it has taken", async () => {
  if (!filesResume) return;
  const other = wideTasks.map((rows) => rows.map((row) => ({ ...row, text: "another" })));
  await inLives(parquet, wideTasks, {}, async (lives, folder) => {
    const late = await lives.begin();
    for (const [seq, rows] of other.slice(0, 3).entries())
      await late.channel.write(rows, Object.assign(late.ctx, { seq }));
    await lives.lose(3, 3);
    await late.channel.snapshot?.();
    assert.is((await readdir(folder)).filter((name) => name.includes(".rows-")).length, 2);
    const { result } = (await lives.end()) as { result: { rows: number; files: readonly string[] } };
    assert.is(result.rows, wideTasks.flat().length);
    const bytes = await readFile(join(folder, "part-00000.parquet"));
    assert.equal(
      batches.toObjects(pl.readParquet(bytes)).map((row) => (row as { text: string }).text),
      wideTasks.flat().map(({ text }) => text),
    );
  });
});

test("a file that is lost or was changed since its checkpoint is named", async () => {
  if (!filesResume) return;
  const damages = {
    removed: (path: string) => rm(path),
    "cut short": async (path: string) => truncate(path, Math.max(0, (await readFile(path)).byteLength - 1)),
    changed: async (path: string) => {
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(bytes.byteLength >> 1) ^ 1, bytes.byteLength >> 1);
      await writeFile(path, bytes);
    },
  };
  const [removed, cut, changed] = [damages.removed, damages["cut short"], damages.changed];
  for (const { make, file, tried } of [
    { make: csv, file: "part-00000", tried: [removed, cut] },
    { make: csv, file: "part-00001", tried: [removed, cut, changed] },
    { make: parquet, file: ".rows-", tried: [removed, cut, changed] },
  ]) {
    for (const damage of tried) {
      await inLives(make, wideTasks, { rowsPerFile: 5 }, async (lives, folder) => {
        await lives.lose(3, 3);
        const name = (await readdir(folder)).find((candidate) => candidate.includes(file)) ?? "";
        await damage(join(folder, name));
        const error = await failure(() => lives.begin(), "NOT_RECOVERABLE");
        assert.match(error.place.file ?? "", "part-0000");
      });
    }
  }
});

test("names of temporary files hold execution, step and channel, and nothing random", async () => {
  if (!filesResume) return;
  const options = { execution: "run-7", step: "to/día", channel: 2, channels: 4 };
  await inLives(csv, objectTasks, options, async (lives, folder) => {
    for (let life = 0; life < 3; life += 1) await lives.lose(1, 1);
    const names = [0, 1, 2].map((life) => `.run-7.to=2fd=eda.2.part-00002.csv.${life}`);
    assert.equal((await readdir(folder)).toSorted(), names);
  });
});

test("a target with parts of the same execution is taken when that goes on, and no other", () =>
  inFolder(async (folder) => {
    const files = openFileSystem();
    const sink = writeCsv<unknown>(folder);
    await writeFile(join(folder, "part-00000.csv"), "a\n");
    await failure(() => sink.prepare?.({ files, execution: "e1" }), "SINK_TARGET_EXISTS");
    await failure(() => sink.prepare?.({ files, execution: "e1", resuming: false }), "SINK_TARGET_EXISTS");
    await sink.prepare?.({ files, execution: "e1", resuming: true });
    await writeFile(join(folder, "notes.md"), "mine");
    await failure(() => sink.prepare?.({ files, execution: "e1", resuming: true }), "SINK_TARGET_EXISTS");
  }));

test.run();
