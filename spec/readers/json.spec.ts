import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { assertTravels } from "../../lib/core/codec/index.ts";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { levelsMax } from "../../readers/json/nesting.ts";
import type { StandardResult, StandardSchema } from "../../readers/json/standard-schema.ts";
import { jsonArray } from "../../readers/json-array.ts";
import { jsonLines } from "../../readers/json-lines.ts";
import { expectError } from "../contract/file-system.ts";
import { readAll, readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("json readers");
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

interface Quokka {
  readonly name: string;
}

/** A Standard Schema by hand: an object with a name. */
const quokka = (answer: <T>(result: T) => T | Promise<T>): StandardSchema<Quokka> => ({
  "~standard": {
    version: 1,
    vendor: "spec",
    validate: (value) => {
      const name = (value as Partial<Quokka> | null)?.name;
      const result: StandardResult<Quokka> =
        typeof name === "string" ? { value: { name } } : { issues: [{ message: "no name", path: ["name"] }] };
      return answer(result);
    },
  },
});

const objects = Array.from({ length: 3000 }, (_, index) => ({
  index,
  text: `"[${index}]{é`,
  nested: [{ a: [index] }],
}));

readerContract(test, "JSON lines", async () =>
  jsonLines(await file("many.jsonl", objects.map((object) => JSON.stringify(object)).join("\n")), {
    splitBytes: 9_000,
  }),
);
readerContract(test, "JSON array", async () =>
  jsonArray(await file("many.json", JSON.stringify(objects, undefined, 2))),
);

test("any values survive, as lines in splits of any size and as an array with any layout", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 12 }),
    fc.integer({ min: 1, max: 50 }),
    fc.constantFrom(0, 2),
    async (values, splitBytes, indent) => {
      const plain = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      const asLines = await file("any.jsonl", plain.map((value) => `${JSON.stringify(value)}\r\n`).join("\n"));
      assert.equal((await readAll(jsonLines(asLines, { splitBytes }))).objects, plain);
      const asArray = await file("any.json", ` ${JSON.stringify(plain, undefined, indent)} \n`);
      assert.equal((await readAll(jsonArray(asArray))).objects, plain);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("elements that cross blocks are whole, compressed or not", async () => {
  const large = Array.from({ length: 30 }, (_, index) => ({ index, text: 'x\\"'.repeat(index * 10_000) }));
  const text = JSON.stringify(large).replaceAll("},{", `}${" ".repeat(70_000)},\n{`);
  assert.equal((await readAll(jsonArray(await file("large.json", text)))).objects, large);
  assert.equal((await readAll(jsonArray(await file("large.json.gz", gzipSync(text))))).objects, large);
});

test("a line that isn't JSON fails with file and line, or goes to the side", async () => {
  const path = await file("bad.jsonl", '{"a":1}\n\n{"a":\n[2]\n');
  const error = await expectError("BAD_INPUT", () => readAll(jsonLines(path)), "bad.jsonl", "not JSON");
  assert.is(error.place.line, 3);
  const files = openFileSystem();
  const ctx = testContext({ files });
  const read = await readAll(jsonLines(path, { badRows: "side" }), { files, ctx });
  assert.equal(read.objects, [{ a: 1 }, [2]]);
  const [bad] = read.sides["bad"] as { line: number; text: string }[];
  assert.is(bad?.line, 3);
  assert.is(bad?.text, '{"a":');
  assert.is(ctx.counters.get("badRows"), 1);
});

test("invalid UTF-8 is bad with its line", async () => {
  const path = await file("invalid.jsonl", Buffer.from([...Buffer.from('{"a":1}\n"'), 0xff, ...Buffer.from('"\n2\n')]));
  const error = await expectError("BAD_INPUT", () => readAll(jsonLines(path)), "UTF-8");
  assert.is(error.place.line, 2);
  const read = await readAll(jsonLines(path, { badRows: "side" }));
  assert.equal(read.objects, [{ a: 1 }, 2]);
  const array = await file("invalid.json", Buffer.from([...Buffer.from('[1,\n"'), 0xff, ...Buffer.from('",\n2]')]));
  assert.equal((await readAll(jsonArray(array, { badRows: "side" }))).objects, [1, 2]);
});

test("a schema checks each value, at once or later", async () => {
  const path = await file("quokkas.jsonl", '{"name":"Bruno","age":3}\n{"age":4}\n');
  const array = await file("quokkas.json", '[{"name":"Bruno","age":3},\n{"age":4}]');
  for (const schema of [quokka((result) => result), quokka(async (result) => result)]) {
    for (const reader of [
      jsonLines(path, { schema, badRows: "side" }),
      jsonArray(array, { schema, badRows: "side" }),
    ]) {
      const read = await readAll(reader);
      assert.equal(read.objects, [{ name: "Bruno" }]);
      const [bad] = read.sides["bad"] as { line: number; column: string; reason: string }[];
      assert.is(bad?.line, 2);
      assert.is(bad?.column, "name");
      assert.match(bad?.reason ?? "", /no name/);
    }
  }
});

test("what is no array, isn't closed or goes on is refused with its line", async () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['{"a":1}', 1, "no JSON array"],
    ["[1,\n2", 2, "isn't closed"],
    ["[1,\n2]\n3", 3, "follows"],
    ["[1,\n]", 2, "missing"],
    ["[,1]", 1, "missing"],
    ["[1]]", 1, "follows"],
    ["[1}", 1, "bracket"],
    ['["a', 1, "isn't closed"],
    ["[1,\ntrue false]", 2, "not JSON"],
  ];
  for (const [content, line, reason] of cases) {
    const path = await file("broken.json", content);
    const error = await expectError("BAD_INPUT", () => readAll(jsonArray(path)), "broken.json", reason);
    assert.is(error.place.line, line, error.message);
  }
});

test("empty arrays and files give nothing; an element beyond the limit is refused", async () => {
  for (const content of ["", "[]", " [\n] ", "\uFEFF[]"]) {
    assert.equal((await readAll(jsonArray(await file("empty.json", content)))).objects, [], JSON.stringify(content));
  }
  const path = await file("endless.json", `[1,"${"x".repeat(3 << 20)}"]`);
  const endless = jsonArray(path, { elementBytesMax: 1 << 20 });
  await expectError("LIMIT_EXCEEDED", () => readAll(endless), "elementBytesMax");
});

test("values that are nested too deep to travel are bad rows, of lines and of arrays", async () => {
  const deep = (levels: number, open: string, close: string): string =>
    `${open.repeat(levels)}1${close.repeat(levels)}`;
  const wide = JSON.stringify(Array.from({ length: 1500 }, () => [[["["]]]));
  const good = [deep(levelsMax + 1, "[", "]"), deep(levelsMax + 1, '{"a":', "}"), wide];
  for (const text of good) assert.not.throws(() => assertTravels(JSON.parse(text)));
  for (const bad of [deep(levelsMax + 2, "[", "]"), deep(levelsMax + 2, '{"a":', "}"), deep(200_000, "[", "]")]) {
    assert.throws(() => assertTravels(JSON.parse(bad)));
    const rows = [...good, bad, '"end"'];
    const ways = [
      { path: await file("deep.jsonl", rows.join("\n")), reader: jsonLines },
      { path: await file("deep.json", `[${rows.join(",\n")}]`), reader: jsonArray },
    ];
    for (const { path, reader } of ways) {
      const error = await expectError("BAD_INPUT", () => readAll(reader(path)), "nested deeper than 1000 levels");
      assert.is(error.place.line, 4);
      const read = await readAll(reader(path, { badRows: "side" }));
      assert.is(read.objects.length, 4);
      const [row] = read.sides["bad"] as { line: number; text: string }[];
      assert.is(row?.line, 4);
      assert.is(row?.text, bad);
      await expectError("BAD_INPUT", () => readAll(reader(path, { schema: quokka((result) => result) })), "no name");
    }
  }
});

test.run();
