import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { RecordBatchFileWriter, RecordBatchStreamWriter, Table, tableFromArrays, vectorFromArray } from "apache-arrow";
import fc from "fast-check";
import type { DataFrame } from "nodejs-polars";
import * as assert from "uvu/assert";
import { loadedBatches } from "../../lib/core/batch/index.ts";
import { loadPolars } from "../../lib/core/batch/libraries.ts";
import { Run } from "../../lib/core/contracts/reader.ts";
import type { Reader } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { arrowIpc } from "../../readers/arrow.ts";
import { readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("arrow reader");
const folder = mkdtempSync(join(tmpdir(), "qstream-arrow-"));
const files = openFileSystem();
test.after(() => rmSync(folder, { recursive: true, force: true }));

const rows = Array.from({ length: 5000 }, (_, n) => ({
  id: BigInt(n) + 2n ** 53n,
  name: n % 5 === 0 ? null : `name ${n % 50}`,
  size: n / 8,
}));

// Ten record batches of 500 rows, with one dictionary for the names.
const names = vectorFromArray(rows.map(({ name }) => name));
const whole = new Table({
  id: tableFromArrays({ id: BigInt64Array.from(rows, ({ id }) => id) }).getChild("id") as never,
  name: names as never,
  size: tableFromArrays({ size: Float64Array.from(rows, ({ size }) => size) }).getChild("size") as never,
});
const parts = Array.from({ length: 10 }, (_, part) => whole.slice(part * 500, (part + 1) * 500).batches).flat();
const filePath = join(folder, "rows.arrow");
const streamPath = join(folder, "rows.arrows");
const file = RecordBatchFileWriter.writeAll(parts as never).toUint8Array(true);
const stream = RecordBatchStreamWriter.writeAll(parts as never).toUint8Array(true);
writeFileSync(filePath, file);
writeFileSync(streamPath, stream);

async function readAll<T>(reader: Reader<T>, channels = 1): Promise<{ objects: T[]; splits: readonly unknown[] }> {
  const ctx = testContext({ files });
  const splits: readonly unknown[] = await reader.splits({ channels, files, signal: ctx.signal });
  const objects: T[] = [];
  for (const split of splits) {
    for await (const reading of reader.read(structuredClone(split), ctx)) {
      if (reading instanceof Run) objects.push(...(reading.objects as T[]));
      else objects.push(reading as T);
    }
  }
  return { objects, splits };
}

async function failure(body: () => Promise<unknown>): Promise<unknown> {
  try {
    await body();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("reads files by record batches and streams as a whole, as plain objects", async () => {
  const fromFile = await readAll(arrowIpc(filePath, { as: "objects" }), 5);
  assert.is(fromFile.splits.length, 5);
  assert.equal(fromFile.objects as unknown, rows);
  const fromStream = await readAll(arrowIpc(streamPath, { as: "objects", batchRows: 999 }), 5);
  assert.is(fromStream.splits.length, 1);
  assert.equal(fromStream.objects as unknown, rows);
});

test("gives Arrow tables and Polars frames of batchRows rows", async () => {
  const tables: Table[] = (await readAll(arrowIpc(filePath, { batchRows: 400 }))).objects;
  assert.ok(tables.every((table) => table.numRows <= 400));
  assert.equal(
    tables.flatMap((table) => [...(table.getChild("id") ?? [])] as bigint[]),
    rows.map(({ id }) => id),
  );
  const frames: DataFrame[] = (await readAll(arrowIpc([filePath, streamPath], { as: "polars" }))).objects;
  assert.is(
    frames.reduce((sum, frame) => sum + frame.height, 0),
    rows.length * 2,
  );
});

test("reads compressed files", async () => {
  const compressed = join(folder, "compressed.arrow");
  const polars = loadPolars();
  polars.DataFrame({ n: [1, 2, 3], s: ["a", "b", null] }).writeIPC(compressed, { compression: "zstd" });
  const { objects } = await readAll(arrowIpc(compressed, { as: "objects" }));
  assert.equal(objects as unknown, [
    { n: 1, s: "a" },
    { n: 2, s: "b" },
    { n: 3, s: null },
  ]);
});

test("reads a published file", async () => {
  const flights = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data/flights-200k.arrow");
  const { objects } = await readAll(arrowIpc(flights), 2);
  assert.is(
    objects.reduce((sum, table) => sum + table.numRows, 0),
    200_000,
  );
});

test("truncated and foreign files are BAD_INPUT with their name", async () => {
  const broken = join(folder, "broken.arrow");
  const contents = [
    file.subarray(0, file.length - 1),
    file.subarray(0, 1000),
    stream.subarray(0, stream.length - 400),
    stream.subarray(0, 3),
    Buffer.from("id,name\n1,a\n2,b\n3,c\n"),
  ];
  for (const content of contents) {
    writeFileSync(broken, content);
    const error = await failure(() => readAll(arrowIpc(broken)));
    assert.ok(
      error instanceof QStreamError && error.code === "BAD_INPUT" && error.place.file === broken,
      String(error),
    );
  }
});

test("damaged structure gives an error or values, never a crash", async () => {
  const damaged = join(folder, "damaged.arrow");
  const sources = [readFileSync(filePath), readFileSync(streamPath)];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sources),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      async (source, place, flip) => {
        const copy = Buffer.from(source);
        const at = place % copy.length;
        copy[at] = (copy[at] as number) ^ flip;
        writeFileSync(damaged, copy);
        const error = await failure(() => readAll(arrowIpc(damaged, { as: "objects" })));
        assert.ok(error === undefined || (error instanceof QStreamError && error.code === "BAD_INPUT"), String(error));
      },
    ),
    { numRuns: 60 },
  );
});

const plainRows = (batch: unknown): readonly unknown[] => loadedBatches()?.toObjects(batch) ?? [];
readerContract(test, "Arrow rows", () => arrowIpc([filePath, streamPath], { as: "objects" }));
readerContract(test, "Arrow tables", () => arrowIpc([filePath, streamPath]), plainRows);
readerContract(test, "Arrow data as frames", () => arrowIpc(filePath, { as: "polars" }), plainRows);

test.run();
