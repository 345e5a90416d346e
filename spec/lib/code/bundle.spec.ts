import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { bundle, loadableUrl } from "../../../lib/code/bundle.ts";
import { QStreamError } from "../../../lib/core/errors.ts";
import { projectFolder } from "../../kit/sources.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("bundles of flow modules");
const folder = mkdtempSync(join(tmpdir(), "qstream-bundle-spec-"));
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

const load = async (path: string): Promise<Record<string, unknown>> =>
  (await import(pathToFileURL(path).href)) as Record<string, unknown>;

test("JavaScript and URLs are loaded as they are", async () => {
  for (const url of ["file:///a/b.js", "file:///a/b.mjs", "data:text/javascript,1", "node:fs"])
    assert.is(await loadableUrl(url), url);
});

test("a TypeScript module is bundled once, with its relative imports", async () => {
  const place = project({
    "flow.ts":
      'import { name, type Name } from "./deep/name.ts";\nexport const given: Name = name;\nexport default (): Name => given;\n',
    "deep/name.ts":
      'import data from "../data.json" with { type: "json" };\nexport type Name = string;\nexport const name: Name = data.name;\n',
    "data.json": '{ "name": "quokka" }',
  });
  const url = pathToFileURL(join(place, "flow.ts")).href;
  const [first, second] = await Promise.all([loadableUrl(url), loadableUrl(url)]);
  assert.is(first, second);
  assert.is((await load(fileURLToPath(first)))["given"], "quokka");
});

test("each file keeps its own import.meta.url, filename and dirname", async () => {
  const own = "[import.meta.url, import.meta.filename, import.meta.dirname]";
  const place = project({
    "flow.ts": `export { inner } from "./deep/inner.ts";\nexport const outer: string[] = ${own};\n`,
    "deep/inner.ts": `export const inner: string[] = ${own};\n`,
  });
  const loaded = await load(await bundle(join(place, "flow.ts")));
  const expected = (file: string): string[] => [
    pathToFileURL(join(place, file)).href,
    join(place, file),
    dirname(join(place, file)),
  ];
  assert.equal(loaded["outer"], expected("flow.ts"));
  assert.equal(loaded["inner"], expected("deep/inner.ts"));
});

test("packages stay outside, so there is one copy of each; ours is the one that runs", async () => {
  const place = project({
    "flow.ts":
      'import { count } from "counter";\nimport { QStreamError } from "qstream";\nexport { count, QStreamError };\nexport const lazy = () => import("not-there");\n',
    "node_modules/counter/package.json": '{ "name": "counter", "type": "module", "exports": "./index.js" }',
    "node_modules/counter/index.js": "export const count = { is: 0 };\n",
  });
  const loaded = await load(await bundle(join(place, "flow.ts")));
  assert.is(loaded["count"], (await load(join(place, "node_modules/counter/index.js")))["count"]);
  assert.is(loaded["QStreamError"], QStreamError);
  // What is imported only when it is asked for may be missing until then.
  const error = await (loaded["lazy"] as () => Promise<unknown>)().catch((thrown: unknown) => thrown);
  assert.match((error as Error).message, "not-there");
});

test("TypeScript behind a path mapping or in a workspace is bundled too", async () => {
  const place = project({
    "package.json": '{ "name": "mine", "type": "module", "imports": { "#lib/*": "./lib/*.ts" } }',
    "flow.ts":
      'import { one } from "#lib/one";\nimport { two } from "@lib/two.ts";\nexport const sum: number = one + two;\n',
    "lib/one.ts": "export const one: number = 1;\n",
    "lib/two.ts": "export const two: number = 2;\n",
    "tsconfig.json": '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
  });
  assert.is((await load(await bundle(join(place, "flow.ts"))))["sum"], 3);
});

test("stacks point to the TypeScript source", async () => {
  const place = project({
    "flow.ts": 'import { fail } from "./fail.ts";\nexport { fail };\n',
    "fail.ts": "type Nothing = undefined;\n\nexport function fail(_: Nothing): void {\n  throw new Error('here');\n}\n",
  });
  const { fail } = await load(await bundle(join(place, "flow.ts")));
  try {
    (fail as () => void)();
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).stack ?? "", `${join(place, "fail.ts")}:4:9`);
  }
});

test("a bundle is named by its content, and only its user can read it", async () => {
  const source = "export const n: number = 1;\n";
  const place = project({ "a.ts": source });
  const first = await bundle(join(place, "a.ts"));
  assert.match(basename(first), /^[0-9a-f]{24}\.mjs$/);
  assert.is(await bundle(join(place, "a.ts")), first);
  writeFileSync(join(place, "a.ts"), source.replace("1", "2"));
  assert.is.not(await bundle(join(place, "a.ts")), first);
  if (process.platform !== "win32") {
    assert.is(statSync(dirname(first)).mode & 0o777, 0o700);
    assert.is(statSync(first).mode & 0o777, 0o600);
  }
});

test("what can't be compiled is FLOW_NOT_FOUND with file and line", async () => {
  const place = project({ "flow.ts": '\n\nimport "./gone.ts";\n' });
  const error = await bundle(join(place, "flow.ts")).catch((thrown: unknown) => thrown);
  assert.instance(error, QStreamError);
  assert.is((error as QStreamError).code, "FLOW_NOT_FOUND");
  assert.match((error as Error).message, /flow\.ts:3:8: Could not resolve/);
});

test("bundles go with the process that made them", () => {
  const place = project({ "flow.ts": "export const n: number = 1;\n" });
  const code = `import { bundle } from ${JSON.stringify(pathToFileURL(join(projectFolder, "dist/lib/code/bundle.js")).href)};
    const path = await bundle(${JSON.stringify(join(place, "flow.ts"))});
    console.log(path, (await import("node:fs")).existsSync(path));`;
  const [path = "", existed] = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" })
    .trim()
    .split(" ");
  assert.is(existed, "true");
  assert.not(existsSync(dirname(path)));
});

test.run();
