import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import type { Place } from "../../lib/core/errors.ts";
import {
  arrowIpc,
  csv,
  defineFlow,
  jsonArray,
  jsonLines,
  lines,
  parquet,
  schema,
  type QStreamError,
} from "../../lib/index.ts";
import { topology } from "../../lib/testing/index.ts";
import { failure } from "../kit/failure.ts";
import { inSlot, suite } from "../kit/suite.ts";

const test = suite("bad files, through flows on threads");
const threads = topology("two threads", { slots: 2 });
const folder = inSlot ? "" : mkdtempSync(join(tmpdir(), "qstream-spec-bad-input-"));

const columns = schema({ id: "int32", size: "float64", name: "string" });

const texts = {
  csv: (path: string) => csv(path),
  lines: (path: string) => lines(path),
  jsonLines: (path: string) => jsonLines(path),
  jsonArray: (path: string) => jsonArray(path),
  parquet: (path: string) => parquet(path, { as: "objects" }),
  arrowIpc: (path: string) => arrowIpc(path, { as: "objects" }),
};
type Kind = keyof typeof texts;
const kinds = Object.keys(texts) as Kind[];

const reading = defineFlow(import.meta.url, (q, { kind, path }: { kind: Kind; path: string }) => ({
  rows: q
    .read<unknown>("read", texts[kind](path))
    .map("whole", (object) => object)
    .collect(),
}));

const typed = defineFlow(import.meta.url, (q, { path }: { path: string }) => ({
  rows: q.read("read", csv(path, { schema: columns })).collect(),
}));

const sided = defineFlow(import.meta.url, (q, { path }: { path: string }) => {
  const rows = q.read("read", csv(path, { schema: columns, badRows: "side" }));
  return { rows: rows.collect(), bad: rows.sides.bad.collect() };
});

const sidedJson = defineFlow(import.meta.url, (q, { path }: { path: string }) => {
  const rows = q.read("read", jsonLines(path, { badRows: "side" }));
  return { rows: rows.collect(), bad: rows.sides.bad.collect() };
});

test.after(async () => {
  await threads.close();
  await rm(folder, { recursive: true, force: true });
});

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const read = async (kind: Kind, path: string): Promise<unknown> =>
  reading.run({ kind, path }, { on: await threads.session() });
const readTyped = async (path: string): Promise<unknown> => typed.run({ path }, { on: await threads.session() });

/** BAD_INPUT of the reader's step at a place, whose message names the file. */
async function refused(run: () => Promise<unknown>, path: string, place: Place = {}): Promise<QStreamError> {
  const error = await failure(run, "BAD_INPUT", { step: "read", file: path, ...place });
  assert.ok(error.message.includes(path), error.message);
  return error;
}

test("a path that isn't there, a glob without a match and an empty folder are errors of every reader", async () => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  for (const kind of kinds) {
    for (const path of [join(folder, "missing.data"), join(folder, "*.nothing"), empty]) {
      const error = await failure(() => read(kind, path), "PATH_NOT_FOUND", { step: "read", file: path });
      assert.ok(error.message.includes("working directory"), `${kind} gives advice: ${error.message}`);
    }
  }
});

const badRows = [
  { name: "too few fields", content: "id,size,name\n1,1,a\n2,2\n3,3,c\n", line: 3, column: undefined, good: 2 },
  { name: "too many fields", content: "id,size,name\n1,1,a\n2,2,b,x\n3,3,c\n", line: 3, column: undefined, good: 2 },
  { name: "no number", content: "id,size,name\n1,1,a\n2,many,b\n3,3,c\n", line: 3, column: "size", good: 2 },
  { name: "too big", content: "id,size,name\n1,1,a\n9999999999,2,b\n", line: 3, column: "id", good: 1 },
  { name: "quote left open", content: 'id,size,name\n1,1,"a\n2,2,b\n', line: 2, column: undefined, good: 0 },
  { name: "text after a quote", content: 'id,size,name\n1,1,"a"b\n2,2,b\n', line: 2, column: undefined, good: 1 },
];

for (const { name, content, line, column, good } of badRows) {
  test(`a CSV row with ${name} fails with its line, or goes to the side output`, async () => {
    const path = file("rows.csv", content);
    await refused(() => readTyped(path), path, { line, ...(column === undefined ? {} : { column }) });
    const { rows, bad } = await sided.run({ path }, { on: await threads.session() });
    assert.is(rows.length, good);
    assert.equal(
      bad.map((row) => [row.file, row.line, row.column]),
      [[path, line, column]],
    );
    assert.ok((bad[0]?.reason.length ?? 0) > 0);
  });
}

test("a CSV header that isn't as the schema says fails at line 1", async () => {
  for (const header of ["a,b,c", "id,id,name", "id,size", "\ufeffid;size;name"]) {
    const path = file("header.csv", `${header}\n1,2,3\n`);
    await refused(() => readTyped(path), path, { line: 1 });
  }
});

test("bytes that aren't UTF-8 fail with their line in every text format", async () => {
  const invalid = Buffer.from([0xff, 0xfe, 0xc3]);
  const inCsv = file("utf8.csv", Buffer.concat([Buffer.from("id,size,name\n1,1,a\n2,2,"), invalid, Buffer.from("\n")]));
  await refused(() => readTyped(inCsv), inCsv, { line: 3, column: "name" });
  const inLines = file("utf8.txt", Buffer.concat([Buffer.from("one\ntwo\n"), invalid, Buffer.from("\nthree\n")]));
  await refused(() => read("lines", inLines), inLines, { line: 3 });
  const inJson = file("utf8.jsonl", Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), invalid, Buffer.from('"}\n')]));
  await refused(() => read("jsonLines", inJson), inJson, { line: 2 });
});

test("a line that isn't JSON fails with its number, or goes to the side output", async () => {
  const path = file("bad.jsonl", '{"a":1}\n{"a":\n\nhello\n{"a":3}\n');
  await refused(() => read("jsonLines", path), path, { line: 2 });
  const { rows, bad } = await sidedJson.run({ path }, { on: await threads.session() });
  assert.equal(rows, [{ a: 1 }, { a: 3 }]);
  assert.equal(
    bad.map(({ line }) => line),
    [2, 4],
  );
});

test("a JSON array that is cut, is no array, or is followed by something fails", async () => {
  for (const content of ['[{"a":1},{"a":2}', '{"a":1}', "[1,2] x", '[{"a":1},{"a":2,}]']) {
    const path = file("array.json", content);
    await refused(() => read("jsonArray", path), path, { line: 1 });
  }
});

const rows = `id,size,name\n${Array.from({ length: 20_000 }, (_, id) => `${id},${id / 2},n${(id * 7919) % 1000}`).join("\n")}\n`;

test("a gzip file that is cut, isn't gzip, or whose sum is wrong fails", async () => {
  const whole = gzipSync(rows);
  const wrongSum = Uint8Array.from(whole);
  wrongSum[whole.length - 6] = (wrongSum[whole.length - 6] ?? 0) ^ 1;
  const contents = {
    half: whole.subarray(0, whole.length >> 1),
    "without its end": whole.subarray(0, -4),
    "with more after it": Buffer.concat([whole, Buffer.from("more")]),
    "of another sum": wrongSum,
    "of text": Buffer.from(rows),
    empty: new Uint8Array(),
  };
  for (const [name, content] of Object.entries(contents)) {
    const path = file("rows.csv.gz", content);
    const error = await refused(() => readTyped(path), path);
    assert.ok(error.message.includes("gzip"), `${name}: ${error.message}`);
  }
});

test("files without rows are streams without objects", async () => {
  for (const content of ["", "id,size,name\n"]) {
    const { rows: none } = await typed.run({ path: file("none.csv", content) }, { on: await threads.session() });
    assert.equal(none, []);
  }
});

test.run();
