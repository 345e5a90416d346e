import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { machineBundle, needsOf, settleBundle } from "../../../lib/code/machine-bundle.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("bundles of flow modules for other machines");
const folder = mkdtempSync(join(tmpdir(), "qstream-machine-bundle-spec-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;

/** Writes files to a folder of their own, and gives its path. */
function project(files: Readonly<Record<string, string>>): string {
  const place = join(folder, `project-${count++}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  return place;
}

const bundleOf = async (place: string): Promise<string> =>
  Buffer.from((await machineBundle(pathToFileURL(join(place, "flow.ts")).href)).bytes).toString("utf8");

/** Loads a bundle as a machine does that was started in a folder: from a folder of its own, after the project is gone. */
async function loadOn(machine: string, place: string): Promise<Record<string, unknown>> {
  const code = settleBundle(await bundleOf(place), machine);
  rmSync(place, { recursive: true });
  const file = join(folder, `arrived-${count++}.mjs`);
  writeFileSync(file, code);
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

const errorOf = async (tried: () => unknown): Promise<QStreamError> => {
  try {
    await tried();
  } catch (error) {
    assert.instance(error, QStreamError);
    return error as QStreamError;
  }
  return assert.unreachable("it succeeded") as never;
};

const native = (version: string): Record<string, string> => ({
  "node_modules/quick/package.json": `{ "name": "quick", "version": "${version}", "napi": {}, "exports": { ".": { "import": "./index.mjs", "require": "./index.cjs" }, "./deep/*": "./inner/*.cjs" } }`,
  "node_modules/quick/index.mjs": `export const quick = "import of ${version}";\n`,
  "node_modules/quick/index.cjs": `exports.quick = "require of ${version}";\n`,
  "node_modules/quick/inner/part.cjs": `exports.part = "part of ${version}";\n`,
});

test("what a module imports is in its bundle: relative modules, JSON, packages of either kind", async () => {
  const place = project({
    "flow.ts": `import { name, type Name } from "./deep/name.ts";
      import { old } from "old-style";
      import { modern } from "new-style/inner";
      const require = "mine";
      export const all: readonly Name[] = [name, old, modern, require];\n`,
    "deep/name.ts":
      'import data from "../data.json" with { type: "json" };\nexport type Name = string;\nexport const name: Name = data.name;\n',
    "data.json": '{ "name": "quokka" }',
    "node_modules/old-style/package.json": '{ "name": "old-style", "version": "1.0.0", "main": "main.js" }',
    "node_modules/old-style/main.js":
      'const { sep } = require("path");\nlet more = "";\ntry { more = require("not-there"); } catch { more = "alone"; }\nexports.old = require("./other.js") + sep + more;\n',
    "node_modules/old-style/other.js": 'module.exports = "commonjs";\n',
    "node_modules/new-style/package.json":
      '{ "name": "new-style", "version": "1.0.0", "type": "module", "exports": { "./inner": "./inner.js" } }',
    "node_modules/new-style/inner.js": 'export const modern = "esm";\n',
  });
  assert.equal((await loadOn(folder, place))["all"], ["quokka", "commonjs/alone", "esm", "mine"]);
});

test("each file keeps the import.meta.url that it had, and stacks point to its TypeScript", async () => {
  process.setSourceMapsEnabled(true);
  const place = project({
    "flow.ts":
      'export { fail } from "./deep/fail.ts";\nexport const own: string[] = [import.meta.url, `${import.meta.dirname}`, "import.meta.url"];\n',
    "deep/fail.ts":
      "type Nothing = undefined;\n// import.meta.url\nexport function fail(_: Nothing): void {\n  throw new Error('here');\n}\n",
  });
  const { fail, own } = await loadOn(folder, place);
  assert.equal(own, [pathToFileURL(join(place, "flow.ts")).href, place, "import.meta.url"]);
  try {
    (fail as () => void)();
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).stack ?? "", `${join(place, "deep/fail.ts")}:4:9`);
  }
});

test("QStream is the one that runs where the bundle comes to", async () => {
  const place = project({
    "flow.ts":
      'import { QStreamError } from "qstream";\nimport { multiset } from "qstream/testing";\nexport { QStreamError, multiset };\n',
  });
  const loaded = await loadOn(folder, place);
  assert.is(loaded["QStreamError"], QStreamError);
  assert.type(loaded["multiset"], "function");
});

test("a package with machine code stays outside, and is the machine's own, for import and for require", async () => {
  const place = project({
    ...native("2.3.4"),
    "flow.ts":
      'import { quick } from "quick";\nimport { part } from "quick/deep/part";\nimport { required } from "user";\nexport { part, quick, required };\n',
    "node_modules/user/package.json": '{ "name": "user", "version": "1.0.0" }',
    "node_modules/user/index.js": 'exports.required = require("quick").quick;\n',
  });
  assert.equal(needsOf(await bundleOf(place)), [{ name: "quick", version: "2.3.4" }]);
  const machine = project(native("2.5.0"));
  const loaded = await loadOn(machine, place);
  assert.is(loaded["quick"], "import of 2.5.0");
  assert.is(loaded["part"], "part of 2.5.0");
  assert.is(loaded["required"], "require of 2.5.0");
});

test("a machine that lacks it, or has another major version, says which is wanted", async () => {
  const place = project({
    ...native("2.3.4"),
    "flow.ts": 'import { quick } from "quick";\nexport { quick };\n',
  });
  const code = await bundleOf(place);
  const lacking = await errorOf(() => settleBundle(code, project({ "package.json": "{}" })));
  assert.is(lacking.code, "PACKAGE_MISSING");
  assert.match(lacking.message, "quick@2.3.4");
  assert.match(lacking.message, "doesn't have it");
  const other = await errorOf(() => settleBundle(code, project(native("1.9.9"))));
  assert.is(other.code, "PACKAGE_MISSING");
  assert.match(other.message, "has 1.9.9");
});

test("QStream's own packages are those of the machine; another copy of one goes along", async () => {
  const place = project({
    "flow.ts": 'import * as ws from "ws";\nexport const same: unknown = ws;\n',
    "node_modules/ws/package.json": '{ "name": "ws", "version": "1.0.0", "main": "index.js" }',
    "node_modules/ws/index.js": 'exports.mine = "old";\n',
  });
  assert.equal(needsOf(await bundleOf(place)), []);
  assert.is(((await loadOn(folder, place))["same"] as { mine: string }).mine, "old");
});

test("a bundle is named by the hash of its bytes, which are the same every time", async () => {
  const place = project({ "flow.ts": "export const n: number = 1;\n" });
  const url = pathToFileURL(join(place, "flow.ts")).href;
  const [first, second] = [await machineBundle(url), await machineBundle(url)];
  assert.is(first.hash, createHash("sha256").update(first.bytes).digest("hex"));
  assert.is(first.hash, second.hash);
});

test("what can't be bundled is FLOW_NOT_FOUND with file and line; what is no file says so", async () => {
  const place = project({ "flow.ts": '\n\nimport "./gone.ts";\n' });
  const broken = await errorOf(() => bundleOf(place));
  assert.is(broken.code, "FLOW_NOT_FOUND");
  assert.match(broken.message, /flow\.ts:3:8: Could not resolve/);
  const missing = project({ "flow.ts": 'import "not-installed";\n' });
  assert.match((await errorOf(() => bundleOf(missing))).message, /flow\.ts:1:8: .*not-installed/);
  assert.is((await errorOf(() => machineBundle("data:text/javascript,1"))).code, "FLOW_NOT_FOUND");
});

test.run();
