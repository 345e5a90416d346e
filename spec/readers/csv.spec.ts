import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { loadBatches } from "../../lib/core/batch/index.ts";
import { schema, type ColumnType } from "../../lib/core/schema.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { csv, type CsvOptions } from "../../readers/csv.ts";
import { expectError } from "../contract/file-system.ts";
import { multiset, readAll, readerContract, splitsOf } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("csv reader");
const batches = await loadBatches();
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const rowsOf = async (content: string | Uint8Array, options: CsvOptions = {}): Promise<unknown[]> =>
  (await readAll(csv(await file("rows.csv", content), options))).objects;

const quotedRows = Array.from({ length: 3000 }, (_, index) => `${index},"said ""${index}"",\nthen left",${index / 4}`);
const quotedFile = (): Promise<string> => file("quoted.csv", `id,text,number\n${quotedRows.join("\r\n")}\r\n`);
const columns = schema({ id: "int32", text: "string", number: "float64" });

readerContract(test, "csv with quoted line ends", async () =>
  csv(await quotedFile(), { schema: columns, splitBytes: 7_000 }),
);
readerContract(test, "csv with inferred types", async () => csv(await quotedFile(), { splitBytes: 7_000 }));
readerContract(test, "csv bad rows", async () => {
  const rows = Array.from({ length: 3000 }, (_, index) => (index % 10 === 3 ? `${index}` : `${index},"x\n${index}"`));
  const path = await file("bad-rows.csv", `id,text\n${rows.join("\n")}`);
  return csv(path, { schema: { id: "int32", text: "string" }, badRows: "side", splitBytes: 5_000 });
});
for (const as of ["arrow", "polars"] as const) {
  readerContract(
    test,
    `csv as ${as}`,
    async () => csv(await quotedFile(), { schema: columns, as, splitBytes: 7_000 }),
    (batch) => batches.toObjects(batch),
  );
}

test("quoted line ends are cut into splits at records only", async () => {
  const path = await quotedFile();
  const reader = csv(path, { schema: columns, splitBytes: 5_000 });
  assert.ok((await splitsOf(reader)).length > 10);
  const { objects } = await readAll(reader);
  assert.is(objects.length, 3000);
  assert.equal(objects[2999], { id: 2999, text: 'said "2999",\nthen left', number: 2999 / 4 });
});

test("any fields survive being written and read, in splits of any size", async () => {
  const field = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r\n", "é", "😀", " "), maxLength: 6 });
  const property = fc.asyncProperty(
    fc.array(fc.tuple(field, field, field), { maxLength: 20 }),
    fc.integer({ min: 1, max: 60 }),
    fc.boolean(),
    async (rows, splitBytes, mark) => {
      const quote = (text: string): string => (/[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const text = ["a,b,c", ...rows.map((row) => row.map(quote).join(","))].join("\n");
      const path = await file("any.csv", (mark ? "\uFEFF" : "") + text);
      const { objects } = await readAll(csv(path, { schema: { a: "string", b: "string", c: "string" }, splitBytes }));
      assert.equal(
        objects,
        rows.map(([a, b, c]) => ({ a, b, c })),
      );
    },
  );
  await fc.assert(property, { numRuns: 80 });
});

test("every type is read, and missing values are null where they may be", async () => {
  const all = schema({
    s: "string",
    t: "string?",
    i: "int32?",
    l: "int64?",
    f: "float64?",
    b: "boolean?",
    w: "timestamp?",
    d: "date?",
  });
  const content = `s,t,i,l,f,b,w,d
x,"",-5,9007199254740993,1e3,true,2024-02-29 10:20:30.5+01:00,2024-02-29
,,,,,,,
`;
  const reader = csv(await file("types.csv", content), { schema: all });
  assert.equal((await readAll(reader)).objects, [
    {
      s: "x",
      t: "",
      i: -5,
      l: 9007199254740993n,
      f: 1000,
      b: true,
      w: new Date("2024-02-29T09:20:30.500Z"),
      d: new Date("2024-02-29T00:00:00Z"),
    },
    { s: "", t: null, i: null, l: null, f: null, b: null, w: null, d: null },
  ]);
});

test("types are inferred, and texts with leading zeros stay texts", async () => {
  const rows = await rowsOf(
    "n,zip,ok,day,at,big,name\n1,01234,true,2024-01-02,2024-01-02T03:04:05Z,12345678901234567890,x\n2.5,00001,false,,,1,\n",
  );
  assert.equal(rows[0], {
    n: 1,
    zip: "01234",
    ok: true,
    day: new Date("2024-01-02"),
    at: new Date("2024-01-02T03:04:05Z"),
    big: "12345678901234567890",
    name: "x",
  });
  assert.equal(rows[1], { n: 2.5, zip: "00001", ok: false, day: null, at: null, big: "1", name: null });
});

test("separators, quotes, headers and null values can be chosen", async () => {
  const options: CsvOptions = { separator: ";", quote: "'", header: false, nullValues: ["NA", ""] };
  assert.equal(await rowsOf("1;'a;b';NA\n2;c;3\n", options), [
    { column1: 1, column2: "a;b", column3: null },
    { column1: 2, column2: "c", column3: 3 },
  ]);
  assert.equal(await rowsOf('a\n"x"\n', { quote: false }), [{ a: '"x"' }]);
  assert.equal(await rowsOf("c,b,a\n1,2,3\n", { schema: { a: "int32", c: "int32" } }), [{ a: 3, c: 1 }]);
  await expectError("OPTION_INVALID", async () => csv("x", { separator: "::" }));
  await expectError("OPTION_INVALID", async () => csv("x", { schema: { a: "text" } as never }));
});

test("an empty file, a header alone and blank lines give no rows", async () => {
  assert.equal(await rowsOf(""), []);
  assert.equal(await rowsOf("a,b\n"), []);
  assert.equal(await rowsOf("a,b\n\r\n1,2\n\n"), [{ a: 1, b: 2 }]);
});

test("dates that aren't in the calendar and numbers in other notations are no values", async () => {
  const refused: readonly (readonly [ColumnType, string])[] = [
    ["date", "2023-02-29"],
    ["date", "2024-13-01"],
    ["timestamp", "2024-02-31T00:00:00Z"],
    ["timestamp", "2024-02-01 25:00"],
    ["float64", "0x10"],
    ["float64", " 1"],
    ["float64", "1 "],
    ["float64", "1,5"],
    ["int32", "1.0"],
    ["int32", "-"],
    ["int64", "9223372036854775808"],
    ["boolean", "yes"],
  ];
  for (const [type, text] of refused) {
    const content = `a;b\n${text};x\n`;
    await expectError("BAD_INPUT", () => rowsOf(content, { schema: { a: type }, separator: ";" }), `is no ${type}`);
  }
});

test("what is wrong with a row is said with file, line, column and value", async () => {
  const two = schema({ a: "int32", b: "string" });
  const cases: readonly (readonly [
    content: string | Buffer,
    line: number,
    column: string | undefined,
    reason: string,
  ])[] = [
    ['a,b\n1,"x\ny"\n2\n', 4, undefined, "1 fields instead of 2"],
    ["a,b\n1,x\n2,y,z\n", 3, undefined, "3 fields instead of 2"],
    ["a,b\n1,x\nabc,y\n", 3, "a", '"abc" is no int32'],
    ["a,b\n1,x\n2147483648,y\n", 3, "a", "is no int32"],
    ["a,b\n1,x\n,y\n", 3, "a", "missing"],
    ['a,b\n1,x\n2,"y\n3,z\n', 3, undefined, "isn't closed"],
    ['a,b\n1,"x"y\n', 2, undefined, "text follows"],
    [Buffer.from([...Buffer.from("a,b\n1,x\n2,"), 0xff, 10]), 3, "b", "UTF-8"],
  ];
  for (const [content, line, column, reason] of cases) {
    const path = await file("wrong.csv", content);
    const error = await expectError("BAD_INPUT", () => readAll(csv(path, { schema: two })), "wrong.csv", reason);
    assert.is(error.place.line, line, error.message);
    assert.is(error.place.column, column, error.message);
  }
});

test("bad rows go to the side output and are counted, the others are read", async () => {
  const content = Buffer.concat([Buffer.from('a,b\n1,"x\n"\n2\nz,y\n3,'), Buffer.of(0xff), Buffer.from('\n4,w\n5,"q')]);
  const path = await file("side.csv", content);
  const files = openFileSystem();
  const ctx = testContext({ files });
  const reader = csv(path, { schema: { a: "int32", b: "string" }, badRows: "side" });
  const { objects, sides } = await readAll(reader, { files, ctx });
  assert.equal(objects, [
    { a: 1, b: "x\n" },
    { a: 4, b: "w" },
  ]);
  assert.equal(sides["bad"], [
    { file: path, line: 4, reason: "a row has 1 fields instead of 2", text: "2" },
    { file: path, line: 5, column: "a", reason: '"z" is no int32', text: "z,y" },
    { file: path, line: 6, column: "b", reason: "a row isn't valid UTF-8", text: "3,\uFFFD" },
    { file: path, line: 8, reason: "a quoted field isn't closed", text: '5,"q' },
  ]);
  assert.is(ctx.counters.get("badRows"), 4);
});

test("without quoted line ends an open quote costs one line", async () => {
  const path = await file("lines.csv", 'a,b\n1,"x\n2,y\n');
  const options = { schema: { a: "int32", b: "string" }, badRows: "side", quotedNewlines: false } as const;
  const { objects, sides } = await readAll(csv(path, { ...options, splitBytes: 3 }));
  assert.equal(objects, [{ a: 2, b: "y" }]);
  assert.is(sides["bad"]?.length, 1);
});

test("headers that don't fit are refused", async () => {
  const wanted = schema({ a: "int32" });
  await expectError("BAD_INPUT", () => rowsOf("b,c\n1,2\n", { schema: wanted }), '"a"', "lacks", "b, c");
  await expectError("BAD_INPUT", () => rowsOf("a,a\n1,2\n", { schema: wanted }), "twice");
  await expectError("BAD_INPUT", () => rowsOf("a,a\n1,2\n"), "twice");
  await expectError("BAD_INPUT", () => rowsOf('"a,b\n1,2\n', { schema: wanted }), "header");
  const first = await file("header-1.csv", "a,b\n1,2\n");
  const second = await file("header-2.csv", "a,b,c\n1,2,3\n");
  await expectError("BAD_INPUT", () => readAll(csv([first, second])), "header-2.csv", '"c"');
});

test("a record beyond the limit is refused by name", async () => {
  const path = await file("endless.csv", `a,b\n1,"${"x".repeat(1 << 20)}`);
  const options = { schema: { a: "int32", b: "string" }, recordBytesMax: 100_000 } as const;
  await expectError("LIMIT_EXCEEDED", () => readAll(csv(path, options)), "recordBytesMax", "endless.csv");
});

test("gzip and files of several folders are read alike", async () => {
  const plain = await file("plain-1.csv", "a\n1\n2\n");
  const packed = await file("packed-2.csv.gz", gzipSync("a\n3\n"));
  const { objects } = await readAll(csv([plain, packed], { schema: { a: "int32" } }));
  assert.equal(multiset(objects), ['{"a":1}', '{"a":2}', '{"a":3}']);
});

test("batches keep the types of the schema", async () => {
  const content = "s,i,l,f,b,w,d\né,-5,-9007199254740993,1.5,true,2024-01-02T03:04:05.678Z,1969-12-31\n,,,,,,\n";
  const all = schema({
    s: "string?",
    i: "int32?",
    l: "int64?",
    f: "float64?",
    b: "boolean?",
    w: "timestamp?",
    d: "date?",
  });
  const path = await file("batches.csv", content);
  const [table] = (await readAll(csv(path, { schema: all, as: "arrow" }))).objects;
  const types = (table as import("apache-arrow").Table).schema.fields.map((field) => String(field.type));
  assert.equal(types, ["Utf8", "Int32", "Int64", "Float64", "Bool", "Timestamp<MILLISECOND>", "Date32<DAY>"]);
  const plainRows = batches.toObjects(table);
  assert.is(plainRows[0]?.["s"], "é");
  assert.is(plainRows[0]?.["l"], -9007199254740993n);
  assert.is(plainRows[0]?.["f"], 1.5);
  assert.equal(Object.values(plainRows[1] ?? {}), [null, null, null, null, null, null, null]);
  const [frame] = (await readAll(csv(path, { schema: all, as: "polars" }))).objects;
  assert.equal(multiset(batches.toObjects(frame)), multiset(plainRows));
});

test.run();
