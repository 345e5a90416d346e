import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { loadableUrl } from "../../../lib/code/bundle.ts";
import { codeHash } from "../../../lib/code/code-hash.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("hashes of code");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "qstream-code-hash-spec-")));
const stood = process.cwd();
test.after(() => {
  process.chdir(stood);
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;

function project(files: Readonly<Record<string, string>>): string {
  const place = join(folder, `project-${count++}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  return place;
}

const hashOf = (path: string): Promise<string> => codeHash(pathToFileURL(path).href);

const withPackage = {
  "node_modules/counter/package.json": '{ "name": "counter", "type": "module", "exports": "./index.js" }',
  "node_modules/counter/index.js": "export const count = { is: 0 };\n",
};

/** A module with what may tell of places: relative modules, an index of CommonJS, a package, QStream, and its own URL. */
const flows: readonly (readonly [name: string, files: Readonly<Record<string, string>>])[] = [
  [
    "flow.ts",
    {
      ...withPackage,
      "flow.ts":
        '/*! licence */\nimport { count } from "counter";\nimport { defineFlow } from "qstream";\nimport { deep } from "./deep/name.ts";\nimport old from "./index.cjs";\nexport const own: string[] = [import.meta.url, import.meta.dirname, deep, old];\nexport const used = [count, defineFlow];\n',
      "deep/name.ts": "export const deep: string = import.meta.url;\n",
      "index.cjs": 'module.exports = require("node:path").sep;\n',
    },
  ],
  [
    "flow.mjs",
    {
      ...withPackage,
      "flow.mjs":
        'import { count } from "counter";\nimport { deep } from "./deep/name.js";\nexport const used = [count, deep, import.meta.url];\n',
      "deep/name.js": "export const deep = import.meta.url;\n",
    },
  ],
];

for (const [name, files] of flows) {
  test(`${name}: it is the same wherever one stands, and wherever the files are`, async () => {
    const place = project(files);
    const first = await hashOf(join(place, name));
    assert.match(first, /^[\da-f]{24}$/);
    for (const stands of [place, join(place, "deep"), folder, "/"]) {
      process.chdir(stands);
      // Each place has files of its own, since a module's bundle is made once.
      const clone = join(folder, `clone-${count++}`, "deeper");
      cpSync(place, clone, { recursive: true });
      await loadableUrl(pathToFileURL(join(clone, name)).href);
      assert.is(await hashOf(join(clone, name)), first, stands);
    }
    const link = join(folder, `link-${count++}`);
    symlinkSync(place, link);
    assert.is(await hashOf(join(link, name)), first);
  });

  test(`${name}: another line in it or in what it imports by path gives another, a comment or a package doesn't`, async () => {
    const changed = async (file: string, change: (text: string) => string): Promise<string> =>
      hashOf(join(project({ ...files, [file]: change(files[file] ?? "") }), name));
    const first = await hashOf(join(project(files), name));
    const inner = Object.keys(files).find((file) => file.startsWith("deep/")) ?? "";
    for (const file of [name, inner]) {
      assert.is(await changed(file, (text) => `// a comment\n${text}`), first, file);
      assert.is.not(await changed(file, (text) => `${text}console.log("more");\n`), first, file);
    }
    assert.is(await changed("node_modules/counter/index.js", (text) => text.replace("0", "1")), first);
    assert.is.not(await changed(name, (text) => text.replace('"counter"', '"other"')), first);
  });
}

test("it is of what was bundled, and runs, whatever becomes of the file", async () => {
  const place = project({ "flow.ts": "export const n: number = 1;\n" });
  const path = join(place, "flow.ts");
  const url = pathToFileURL(path).href;
  const bundled = fileURLToPath(await loadableUrl(url));
  const first = await codeHash(url);
  writeFileSync(path, "export const n: number = 2;\n");
  assert.is(await codeHash(url), first);
  assert.is(fileURLToPath(await loadableUrl(url)), bundled);
});

test("what is no file, or can't be put together, is hashed as it is written", async () => {
  assert.is.not(await codeHash("data:text/javascript,1"), await codeHash("data:text/javascript,2"));
  const broken = project({ "flow.mjs": 'if (globalThis.never) await import("./gone.mjs");\n' });
  assert.match(await hashOf(join(broken, "flow.mjs")), /^[\da-f]{24}$/);
});

test.run();
