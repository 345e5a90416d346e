import * as assert from "uvu/assert";
import { loadBatches } from "../../../lib/core/batch/index.ts";
import type { QStreamError } from "../../../lib/core/errors.ts";
import { writeCsv, type WriteCsvOptions } from "../../../operators/sinks/csv.ts";
import { contentsOf, fileSinkContract, inFolder, runSink } from "../../contract/sink.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("csv sink");

type Row = Record<string, unknown>;
fileSinkContract<Row>(test, (path, options) => writeCsv(path, options), [
  [
    { a: 1, b: "x" },
    { a: 2, b: "y" },
  ],
  [{ a: 3, b: "z" }],
]);

async function written(objects: readonly unknown[], options: WriteCsvOptions = {}): Promise<string> {
  let text = "";
  await inFolder(async (folder) => {
    await runSink(writeCsv<unknown>(folder, options), [objects]);
    const [latin = ""] = Object.values(await contentsOf(folder));
    text = Buffer.from(latin, "latin1").toString("utf8");
  });
  return text;
}

async function codeOf(objects: readonly unknown[], options: WriteCsvOptions = {}): Promise<string | undefined> {
  try {
    await written(objects, options);
  } catch (error) {
    return (error as QStreamError).code;
  }
  return undefined;
}

test("quotes what a reader would take apart, and tells empty text from none", async () => {
  const text = await written([{ a: 'say "hi"', b: "x,y", c: "l1\nl2", d: "", e: null, f: " pad", g: "ü" }]);
  assert.is(text, 'a,b,c,d,e,f,g\n"say ""hi""","x,y","l1\nl2","",," pad",ü\n');
  assert.is(await written([{ a: "NA", b: null }], { missing: "NA", header: false }), '"NA",NA\n');
  assert.is(await written([{ a: 1.5, b: "x,y" }], { separator: ";" }), "a;b\n1.5;x,y\n");
});

test("writes bigints, dates, arrays and objects", async () => {
  const row = { big: 9_007_199_254_740_993n, when: new Date(0), list: [1, "a"], inner: { n: 1n } };
  assert.is(
    await written([row], { header: false, separator: "\t" }),
    '9007199254740993\t1970-01-01T00:00:00.000Z\t"[1,""a""]"\t"{""n"":1}"\n',
  );
});

test("writes the same of objects, Arrow and Polars", async () => {
  const batches = await loadBatches();
  const rows = [
    { id: 9_007_199_254_740_993n, name: "a,b", ok: true },
    { id: -1n, name: null, ok: false },
  ];
  const text = await written(rows);
  assert.is(await written([batches.fromObjects(rows, "arrow")]), text);
  assert.is(await written([batches.fromObjects(rows, "polars")]), text);
});

test("escapes or refuses formulas, but not negative numbers", async () => {
  const row = { a: "=1+1", b: "@x", c: -5, d: "-5" };
  assert.is(await written([row], { header: false }), "=1+1,@x,-5,-5\n");
  assert.is(await written([row], { header: false, formulas: "escape" }), "'=1+1,'@x,-5,'-5\n");
  assert.is(await codeOf([row], { formulas: "refuse" }), "BAD_INPUT");
});

test("takes the columns it is given, and refuses others that weren't there at first", async () => {
  assert.is(await written([{ a: 1, b: 2 }, { c: 3 }], { columns: ["c", "a"] }), "c,a\n,1\n3,\n");
  assert.is(await codeOf([{ a: 1 }, { a: 1, b: 2 }]), "BAD_INPUT");
  assert.is(await codeOf([5]), "BAD_INPUT");
  assert.is(await codeOf([{ a: () => 1 }]), "BAD_INPUT");
  assert.is(await codeOf([{ a: 1 }], { separator: "||" }), "OPTION_INVALID");
});

test("refuses Maps and Sets, whose contents aren't columns", async () => {
  for (const object of [new Map([["a", 1]]), new Set([1])]) assert.is(await codeOf([object]), "BAD_INPUT");
});

test.run();
