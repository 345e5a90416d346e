import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Table } from "apache-arrow";
import fc from "fast-check";
import type { DataFrame } from "nodejs-polars";
import * as assert from "uvu/assert";
import { loadedBatches } from "../../lib/core/batch/index.ts";
import { loadPolars } from "../../lib/core/batch/libraries.ts";
import type { FileSystem } from "../../lib/core/contracts/file-system.ts";
import { Run, Side } from "../../lib/core/contracts/reader.ts";
import type { Reader, SidedReader } from "../../lib/core/contracts/reader.ts";
import { QStreamError } from "../../lib/core/errors.ts";
import { nodeDisk } from "../../lib/core/seam/node-disk.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { parquet } from "../../readers/parquet.ts";
import type { BadFile, ParquetSplit, Where } from "../../readers/parquet.ts";
import { readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";
import { flights, remoteFiles, writeFlights } from "./parquet/flights.ts";
import type { Flight } from "./parquet/flights.ts";

const test = suite("parquet reader");
const folder = mkdtempSync(join(tmpdir(), "qstream-parquet-"));
const spill = nodeDisk({ folder });
const files = openFileSystem();
const polars = loadPolars();

const path = join(folder, "flights.parquet");

test.before(() => writeFlights(path));
test.after(async () => {
  await spill.clear();
  rmSync(folder, { recursive: true, force: true });
});

const columns = { origin: "string", delay: "int32?", distance: "int64", at: "timestamp", late: "boolean" } as const;

interface Readings<T> {
  readonly objects: T[];
  readonly sides: unknown[];
  readonly splits: readonly ParquetSplit[];
}

async function readAll<T>(reader: Reader<T>, from: FileSystem = files, channels = 1): Promise<Readings<T>> {
  const ctx = testContext({ files: from, spill });
  const splits = (await reader.splits({ channels, files: from, signal: ctx.signal })) as readonly ParquetSplit[];
  const objects: T[] = [];
  const sides: unknown[] = [];
  for (const split of splits) {
    for await (const reading of reader.read(structuredClone(split), ctx)) {
      if (reading instanceof Run) objects.push(...(reading.objects as T[]));
      else if (reading instanceof Side) sides.push(reading.object);
      else objects.push(reading as T);
    }
  }
  return { objects, sides, splits };
}

async function failure(body: () => Promise<unknown>): Promise<QStreamError> {
  try {
    await body();
  } catch (error) {
    if (error instanceof QStreamError) return error;
    throw error;
  }
  return assert.unreachable("nothing was thrown") as never;
}

test("gives typed rows, exact above 2^53, in order", async () => {
  const { objects, splits } = await readAll(parquet(path, { columns, splitRows: 2500 }));
  assert.is(splits.length, 5);
  const typed: Flight[] = objects;
  assert.equal(typed, flights);
});

test("gives Int64 as bigint and the rest naturally when no types are declared", async () => {
  const { objects } = await readAll(parquet(path, { columns: ["delay", "at"] }));
  const expected = flights.map(({ delay, at }) => ({ delay: delay === null ? null : BigInt(delay), at }));
  assert.equal(objects as unknown, expected);
  const whole = await readAll(parquet(path));
  assert.equal(Object.keys(whole.objects[0] as object), ["origin", "delay", "distance", "at", "late"]);
});

test("gives Arrow tables and Polars frames of batchRows rows", async () => {
  const tables: Table[] = (await readAll(parquet(path, { as: "arrow", columns: ["distance"], batchRows: 700 })))
    .objects;
  assert.ok(tables.every((table) => table.numRows <= 700));
  assert.equal(
    tables.flatMap((table) => [...(table.getChild("distance") ?? [])] as bigint[]),
    flights.map(({ distance }) => distance),
  );
  const frames: DataFrame[] = (await readAll(parquet(path, { as: "polars", columns, splitRows: 3000 }))).objects;
  assert.equal(
    frames.map((frame) => frame.height),
    [3000, 3000, 3000, 1000],
  );
  assert.equal(frames[0]?.columns, Object.keys(columns));
});

type Name = "delay" | "distance" | "origin" | "at" | "late";

const comparisons = {
  "==": (order: number) => order === 0,
  "!=": (order: number) => order !== 0,
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
} as const;

function meets(flight: Flight, [name, operator, value]: Where): boolean {
  const own = flight[name as Name];
  if (operator === "in") return own !== null && value.some((single) => comparisons["=="](compare(own, single)));
  if (value === null) return (own === null) === (operator === "==");
  return own !== null && comparisons[operator](compare(own, value));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const left = a instanceof Date ? a.getTime() : (a as number);
  const right = b instanceof Date ? b.getTime() : (b as number);
  return left < right ? -1 : left > right ? 1 : 0;
}

const operators = fc.constantFrom(...(Object.keys(comparisons) as (keyof typeof comparisons)[]));
const conditions: fc.Arbitrary<Where> = fc.oneof(
  fc.tuple(fc.constant("delay"), operators, fc.constantFrom(-20, 15, 15.5, 79, 80)),
  fc.tuple(fc.constant("distance"), operators, fc.constantFrom(0n, 999n, 4999, 2n ** 53n + 7001n)),
  fc.tuple(fc.constant("origin"), operators, fc.constantFrom("OAK", "SFO", "Z", "ÅÄÖ")),
  fc.tuple(fc.constant("at"), operators, fc.constantFrom(...[0, 1, 3, 5000].map((n) => flights[n]?.at ?? new Date(0)))),
  fc.tuple(fc.constant("late"), fc.constantFrom("==" as const, "!=" as const), fc.boolean()),
  fc.tuple(fc.constant("delay"), fc.constantFrom("==" as const, "!=" as const), fc.constant(null)),
  fc.tuple(fc.constant("origin"), fc.constant("in" as const), fc.subarray(["OAK", "SJC", "none"])),
  fc.tuple(fc.constant("distance"), fc.constant("in" as const), fc.subarray([5n, 2n ** 53n + 9000n, 2n ** 60n])),
);

test("where gives exactly the rows that meet all conditions", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(conditions, { minLength: 1, maxLength: 3 }), fc.boolean(), async (where, remote) => {
      const from = remote ? remoteFiles().files : files;
      const { objects } = await readAll(
        parquet(path, { columns: { distance: "int64" }, where, splitRows: 2000 }),
        from,
      );
      const expected = flights.filter((flight) => where.every((condition) => meets(flight, condition)));
      assert.equal(
        objects.map(({ distance }) => distance),
        expected.map(({ distance }) => distance),
      );
    }),
    { numRuns: 40 },
  );
});

test("where leaves out row groups whose statistics rule them out", async () => {
  const { splits, objects } = await readAll(parquet(path, { columns, where: [["distance", "<", 1500]] }));
  assert.equal(
    splits.map(({ firstGroup, endGroup }) => [firstGroup, endGroup]),
    [[0, 2]],
  );
  assert.is(objects.length, 1500);
  assert.is((await readAll(parquet(path, { where: [["distance", "==", 2n ** 62n]] }))).splits.length, 0);
});

test("fetches only the needed byte ranges of a remote file, and Polars touches no others", async () => {
  const big = join(dirname(createRequire(import.meta.url).resolve("vega-datasets")), "../data/flights-3m.parquet");
  const reader = parquet(big, {
    columns: ["delay", "origin"],
    where: [["distance", ">", 300]],
    splitRows: 300_000,
    frame: (scan) => scan.groupBy("origin").agg(polars.col("delay").sum()).sort("origin"),
  });
  const request = { channels: 2, files, signal: new AbortController().signal };
  const splits = (await reader.splits(request)) as readonly ParquetSplit[];
  assert.is(splits.length, 11);
  for (const split of [splits[0], splits[6]] as ParquetSplit[]) {
    const remote = remoteFiles();
    const one = { ...reader, splits: () => [split] };
    assert.equal((await readAll(one, remote.files)).objects, (await readAll(one)).objects);
    assert.ok(remote.fetched() < split.bytes + 200_000, `${remote.fetched()} bytes`);
  }
});

test("gives the same rows of a remote file as of a local one", async () => {
  const where: Where[] = [["distance", ">=", 2n ** 53n + 9000n]];
  const { objects } = await readAll(
    parquet(path, { columns: { delay: "int32?" }, where, splitRows: 1000 }),
    remoteFiles().files,
  );
  assert.equal(
    objects,
    flights.slice(9000).map(({ delay }) => ({ delay })),
  );
  for (const splitRows of [1000, 3000, 100]) {
    const whole = await readAll(parquet(path, { columns, splitRows }), remoteFiles().files, 3);
    assert.equal(whole.objects, flights);
  }
});

test("a big row group is read in parts", async () => {
  const { splits, objects } = await readAll(parquet(path, { columns, splitRows: 100 }));
  assert.is(splits.length, 30);
  assert.equal(objects, flights);
});

test("gives every channel something where there is little", async () => {
  const { splits } = await readAll(parquet(path), files, 4);
  assert.is(splits.length, 5);
});

test("wrong options don't compile or are refused", () => {
  const refused = [
    () => parquet(path, { columns: [] }),
    () => parquet(path, { splitRows: 0 }),
    () => parquet(path, { result: { origin: "string" } }),
    () => parquet(path, { where: [["at", ">", new Date(Number.NaN)]] }),
    // @ts-expect-error -- there is no such type
    () => parquet(path, { columns: { origin: "text" } }),
  ];
  for (const make of refused) {
    assert.throws(make, (error: unknown) => error instanceof QStreamError && error.code === "OPTION_INVALID");
  }
  // @ts-expect-error -- a plain reader has no side outputs
  assert.is(parquet(path).sides, undefined);
  // @ts-expect-error -- "like" is no comparison
  parquet(path, { where: [["origin", "like", "S"]] });
});

test("frame works inside the scan, and result types its rows", async () => {
  const reader = parquet(path, {
    columns: ["origin", "delay"],
    frame: (scan) =>
      scan
        .groupBy("origin")
        .agg(polars.col("delay").sum(), polars.col("delay").count().alias("flights"))
        .sort("origin"),
    result: { origin: "string", delay: "int64", flights: "int32" },
  });
  const { objects, splits } = await readAll(reader);
  assert.is(splits.length, 1);
  const typed: { origin: string; delay: bigint; flights: number }[] = objects;
  const expected = ["OAK", "SFO", "SJC", "ÅÄÖ"].map((origin) => {
    const delays = flights.flatMap((flight) =>
      flight.origin === origin && flight.delay !== null ? [flight.delay] : [],
    );
    return { origin, delay: BigInt(delays.reduce((sum, delay) => sum + delay, 0)), flights: delays.length };
  });
  assert.equal(typed, expected);
});

test("names the column and those there are when one is missing or has another type", async () => {
  const missing = await failure(() => readAll(parquet(path, { columns: { orgin: "string" } })));
  assert.is(missing.code, "BAD_INPUT");
  assert.is(missing.place.column, "orgin");
  assert.match(missing.message, "origin (string), delay (int64), distance (int64), at (timestamp), late (boolean)");
  const wrong = await failure(() => readAll(parquet(path, { columns: { origin: "int32" } })));
  assert.match(wrong.message, "is string, and it is declared as int32");
  assert.is(wrong.place.column, "origin");
  const where = await failure(() => readAll(parquet(path, { where: [["delay", ">", "15"]] })));
  assert.is(where.place.column, "delay");
  const big = await failure(() => readAll(parquet(path, { columns: { distance: "int32" } })));
  assert.is(big.place.column, "distance");
  const nulls = await failure(() => readAll(parquet(path, { columns: { delay: "int32" } })));
  assert.match(nulls.message, 'Declare it as "int32?"');
  const result = await failure(() =>
    readAll(parquet(path, { frame: (scan) => scan.select("late"), result: { lat: "boolean" } })),
  );
  assert.match(result.message, "late (bool)");
});

test("a truncated or foreign file is BAD_INPUT with its name", async () => {
  const bytes = readFileSync(path);
  const broken = join(folder, "broken.parquet");
  for (const content of [
    bytes.subarray(0, bytes.length - 9),
    bytes.subarray(0, 5),
    Buffer.from("a,b\n1,2\n1,2\n1,2"),
  ]) {
    writeFileSync(broken, content);
    const error = await failure(() => readAll(parquet(broken)));
    assert.is(error.code, "BAD_INPUT");
    assert.is(error.place.file, broken);
  }
  // Its footer is whole, but the data in front of it is gone.
  const footerLength = bytes.readUInt32LE(bytes.length - 8);
  writeFileSync(broken, Buffer.concat([Buffer.from("PAR1"), bytes.subarray(bytes.length - 8 - footerLength)]));
  const error = await failure(() => readAll(parquet(broken)));
  assert.is(error.place.rowGroup, 0);
  assert.match(error.message, "aren't in the file's data");
});

test("flipped bits of the footer give an error or another valid file, never a crash", async () => {
  const bytes = readFileSync(path);
  const footerStart = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  const flipped = join(folder, "flipped.parquet");
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: footerStart, max: bytes.length - 1 }),
      fc.integer({ min: 0, max: 7 }),
      async (at, bit) => {
        const copy = Buffer.from(bytes);
        copy[at] = (copy[at] as number) ^ (1 << bit);
        writeFileSync(flipped, copy);
        const reader = parquet(flipped, { badFiles: "side" });
        try {
          await reader.splits({ channels: 1, files, signal: new AbortController().signal });
        } catch (error) {
          assert.ok(error instanceof QStreamError);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("broken files go to a side output when asked to, and are counted", async () => {
  const broken = join(folder, "side-broken.parquet");
  writeFileSync(broken, readFileSync(path).subarray(0, 4000));
  const reader: SidedReader<{ delay: number | null }, { bad: BadFile }> = parquet([broken, path], {
    columns: { delay: "int32?" },
    badFiles: "side",
  });
  assert.equal(reader.sides, { bad: "bad" });
  const { objects, sides } = await readAll(reader);
  assert.is(objects.length, flights.length);
  assert.is(sides.length, 1);
  assert.is((sides[0] as BadFile).file, broken);
  assert.match((sides[0] as BadFile).reason, "PAR1");
});

test("notices a file that was replaced between splits and reading", async () => {
  const replaced = join(folder, "replaced.parquet");
  writeFileSync(replaced, readFileSync(path));
  const reader = parquet(replaced);
  const ctx = testContext({ files, spill });
  const [split] = await reader.splits({ channels: 1, files, signal: ctx.signal });
  polars.DataFrame({ other: [1, 2, 3] }).writeParquet(replaced);
  const error = await failure(async () => {
    for await (const reading of reader.read(split as ParquetSplit, ctx)) assert.unreachable(String(reading));
  });
  assert.match(error.message, "was replaced");
});

const plainRows = (batch: unknown): readonly unknown[] => loadedBatches()?.toObjects(batch) ?? [];
readerContract(test, "parquet rows", () => parquet(path, { columns }));
readerContract(test, "parquet Arrow tables", () => parquet(path, { as: "arrow", splitRows: 2000 }), plainRows);
readerContract(test, "parquet frames", () => parquet(path, { as: "polars", where: [["delay", ">", 15]] }), plainRows);

test.run();
