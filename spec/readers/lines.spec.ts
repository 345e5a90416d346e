import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import * as assert from "uvu/assert";
import { openFileSystem } from "../../lib/files/index.ts";
import { testContext } from "../../lib/testing/test-context.ts";
import { lines } from "../../readers/lines.ts";
import { expectError } from "../contract/file-system.ts";
import { readAll, readerContract } from "../contract/reader.ts";
import { suite } from "../kit/suite.ts";

const test = suite("lines reader");
let folder = "";

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "qstream-spec-"));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const file = async (name: string, content: string | Uint8Array): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};
const manyLines = Array.from({ length: 5000 }, (_, index) => `line ${index} ${"é".repeat(index % 7)}`);

readerContract(test, "lines", async () => lines(await file("many.txt", manyLines.join("\n")), { splitBytes: 10_000 }));
readerContract(test, "lines of gzip", async () => lines(await file("many.txt.gz", gzipSync(manyLines.join("\n")))));

test("line ends are \\n and \\r\\n, and the last line may have none", async () => {
  const cases: readonly (readonly [string, string[]])[] = [
    ["", []],
    ["\n", [""]],
    ["\uFEFFa\nb", ["a", "b"]],
    ["a\r\nb\r\n", ["a", "b"]],
    ["a\n\nb\n", ["a", "", "b"]],
    ["a\rb\r", ["a\rb\r"]],
    ["a\r\n\r\nb\r", ["a", "", "b\r"]],
  ];
  for (const [content, expected] of cases) {
    assert.equal((await readAll(lines(await file("ends.txt", content)))).objects, expected, JSON.stringify(content));
  }
});

test("any text in splits of any size gives its lines once and in order", async () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", "é", "語", "😀", " "), maxLength: 12 });
  const property = fc.asyncProperty(
    fc.array(line, { maxLength: 30 }),
    fc.constantFrom("\n", "\r\n"),
    fc.integer({ min: 1, max: 40 }),
    async (texts, end, splitBytes) => {
      const path = await file("any.txt", texts.map((text) => text + end).join(""));
      assert.equal((await readAll(lines(path, { splitBytes }))).objects, texts);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});

test("lines that cross the blocks of a read are whole", async () => {
  const long = Array.from({ length: 40 }, (_, index) => `${index}:${"x".repeat(index * 5_000)}`);
  const path = await file("long.txt", long.join("\n"));
  assert.equal((await readAll(lines(path))).objects, long);
  assert.equal((await readAll(lines(path, { splitBytes: 70_000 }))).objects, long);
});

test("compressed files are found by their ending or their first bytes", async () => {
  const content = gzipSync("a\nb\n");
  assert.equal((await readAll(lines(await file("ending.gz", content)))).objects, ["a", "b"]);
  assert.equal((await readAll(lines(await file("magic.txt", content)))).objects, ["a", "b"]);
  assert.equal((await readAll(lines(join(folder, "magic.txt"), { splitBytes: 5 }))).objects, ["a", "b"]);
  const two = await file("members.gz", Buffer.concat([content, gzipSync("c\n")]));
  assert.equal((await readAll(lines(two))).objects, ["a", "b", "c"]);
});

test("a gzip file that is cut, broken or empty is BAD_INPUT", async () => {
  const content = gzipSync(manyLines.join("\n"));
  const cut = await file("cut.gz", content.subarray(0, content.length - 20));
  await expectError("BAD_INPUT", () => readAll(lines(cut)), "cut.gz", "cut or broken");
  await expectError("BAD_INPUT", () => file("no.gz", "plain").then((path) => readAll(lines(path))), "no.gz");
  await expectError("BAD_INPUT", () => file("none.gz", "").then((path) => readAll(lines(path))), "none.gz");
});

test("invalid UTF-8 fails with file and line, in a later split too", async () => {
  const bytes = Buffer.concat([
    Buffer.from(`${manyLines.slice(0, 3000).join("\n")}\n`),
    Buffer.of(0x61, 0xff, 0x62, 10),
  ]);
  const path = await file("invalid.txt", bytes);
  for (const splitBytes of [1 << 20, 10_000]) {
    const error = await expectError("BAD_INPUT", () => readAll(lines(path, { splitBytes })), "invalid.txt", "UTF-8");
    assert.is(error.place.line, 3001);
  }
});

test("bad lines go to the side output and are counted", async () => {
  const path = await file("side.txt", Buffer.from([...Buffer.from("a\nb"), 0xff, ...Buffer.from("\nc\n"), 0xc3, 10]));
  const files = openFileSystem();
  const ctx = testContext({ files });
  const reader = lines(path, { badLines: "side" });
  assert.equal(reader.sides, { bad: "bad" });
  const { objects, sides } = await readAll(reader, { files, ctx });
  assert.equal(objects, ["a", "c"]);
  const reason = "a line isn't valid UTF-8";
  assert.equal(sides["bad"], [
    { file: path, line: 2, reason, text: "b\uFFFD" },
    { file: path, line: 4, reason, text: "\uFFFD" },
  ]);
  assert.is(ctx.counters.get("badRows"), 2);
});

test("a line beyond the limit is refused by name", async () => {
  const path = await file("endless.txt", `short\n${"x".repeat(3 << 20)}\n`);
  const error = await expectError(
    "LIMIT_EXCEEDED",
    () => readAll(lines(path, { lineBytesMax: 1 << 20 })),
    "lineBytesMax",
  );
  assert.is(error.place.line, 2);
});

test("a file that changed since the splits were made is BAD_INPUT", async () => {
  const path = await file("changed.txt", "a\n");
  const files = openFileSystem();
  const reader = lines(path);
  const [split] = await reader.splits({ channels: 1, files, signal: new AbortController().signal });
  await file("changed.txt", "a\nb\n");
  await expectError(
    "BAD_INPUT",
    async () => {
      if (split === undefined) return;
      for await (const item of reader.read(split, testContext({ files }))) assert.ok(item);
    },
    "changed.txt",
    "changed",
  );
});

test.run();
