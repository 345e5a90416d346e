import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { arrowIpc, defineFlow, parquet, QStreamError } from "../../lib/index.ts";
import { topology } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("broken Arrow and Parquet files, through flows on threads");
const threads = topology("two threads", { slots: 2 });
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-broken-"));

const forms = ["objects", "arrow", "polars"] as const;
const rowCount = 200;

interface Args {
  path: string;
  as: (typeof forms)[number];
}

const arrowRows = defineFlow(import.meta.url, (q, { path, as }: Args) => ({
  rows: q.read<unknown>("read", arrowIpc(path, { as })).count("count").collect(),
}));
const parquetRows = defineFlow(import.meta.url, (q, { path, as }: Args) => ({
  rows: q.read<unknown>("read", parquet(path, { as })).count("count").collect(),
}));
const flows = { arrow: arrowRows, stream: arrowRows, parquet: parquetRows } as const;
type Format = keyof typeof flows;

const sidedFiles = defineFlow(import.meta.url, (q, { paths }: { paths: string[] }) => {
  const rows = q.read("read", parquet(paths, { as: "objects", badFiles: "side" }));
  return { rows: rows.collect(), bad: rows.sides.bad.collect() };
});

const whole: Record<Format, Uint8Array> = inSlot
  ? { arrow: new Uint8Array(), stream: new Uint8Array(), parquet: new Uint8Array() }
  : await wholeFiles();

async function wholeFiles(): Promise<Record<Format, Uint8Array>> {
  const { tableFromArrays, tableToIPC } = await import("apache-arrow");
  const { default: pl } = await import("nodejs-polars");
  const numbers = Array.from({ length: rowCount }, (_, row) => row);
  const table = tableFromArrays({
    id: Int32Array.from(numbers),
    name: numbers.map((row) => `name ${row % 7}`),
    size: Float64Array.from(numbers),
    flag: numbers.map((row) => row % 2 === 0),
  });
  const frame = pl.DataFrame({ id: numbers, name: numbers.map((row) => `name ${row}`) });
  frame.writeParquet(join(folder, "whole.parquet"));
  return {
    arrow: tableToIPC(table, "file"),
    stream: tableToIPC(table, "stream"),
    parquet: readFileSync(join(folder, "whole.parquet")),
  };
}

test.after(async () => {
  await threads.close();
  await rm(folder, { recursive: true, force: true });
});

const read = async (format: Format, bytes: Uint8Array, as: Args["as"]): Promise<{ rows: readonly number[] }> => {
  const path = join(folder, `broken.${format}`);
  writeFileSync(path, bytes);
  return flows[format].run({ path, as }, { on: await threads.session() });
};

for (const format of ["arrow", "stream", "parquet"] as const) {
  test(`a whole ${format} file is read in all forms`, async () => {
    for (const as of forms) assert.equal((await read(format, whole[format], as)).rows, [rowCount], as);
  });

  test(`a ${format} file that is cut anywhere is refused with its name`, async () => {
    const { length } = whole[format];
    for (const bytes of [0, 4, 8, length >> 2, length >> 1, length - 100]) {
      const error = await failure(() => read(format, whole[format].subarray(0, bytes), "arrow"), "BAD_INPUT", {
        step: "read",
        file: join(folder, `broken.${format}`),
      });
      assert.ok(/ again/.test(error.message), `advice: ${error.message}`);
    }
  });

  // Any answer is right but a crash, a hang, a lost slot, or an error that doesn't name the file.
  test(
    `a ${format} file with flipped bytes is read or refused, and never takes a slot down`,
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), to: fc.integer({ min: 0, max: 255 }) }),
            {
              minLength: 1,
              maxLength: 6,
            },
          ),
          fc.constantFrom(...forms),
          async (flips, as) => {
            const bytes = Uint8Array.from(whole[format]);
            for (const { at, to } of flips) bytes[Math.min(bytes.length - 1, Math.floor(at * bytes.length))] = to;
            try {
              const { rows } = await read(format, bytes, as);
              assert.is(rows.length, 1);
            } catch (error) {
              assert.ok(error instanceof QStreamError && error.code === "BAD_INPUT", String(error));
              assert.is(error.place.file, join(folder, `broken.${format}`), error.message);
            }
          },
        ),
        { numRuns: 40 },
      ),
    30_000,
  );
}

test("broken Parquet files go to the side output, and the others are read", async () => {
  const good = join(folder, "good.parquet");
  const cut = join(folder, "cut.parquet");
  writeFileSync(good, whole.parquet);
  writeFileSync(cut, whole.parquet.subarray(0, whole.parquet.length >> 1));
  const { rows, bad } = await sidedFiles.run({ paths: [good, cut] }, { on: await threads.session() });
  assert.is(rows.length, rowCount);
  assert.equal(
    bad.map((part) => part.file),
    [cut],
  );
});

test.run();
