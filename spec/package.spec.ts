// What is published: the closed exports, the files, the lockfile.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript-6";
import * as assert from "uvu/assert";
import { projectFolder } from "./kit/sources.ts";
import { suite } from "./kit/suite.ts";

interface Manifest {
  readonly name: string;
  readonly type: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly engines?: { readonly node?: string } | readonly string[];
}

const test = suite("package");
const manifest = JSON.parse(read("package.json")) as Manifest;
const locked = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockedPackage> };

test("the public entries load by name", async () => {
  const [main, testing] = ["qstream", "qstream/testing"];
  assert.type((await load(main))["defineFlow"], "function");
  assert.ok(Object.keys(await load(testing)).length > 0);
});

test("the inside can't be imported", async () => {
  for (const inside of [
    "qstream/lib/core/errors",
    "qstream/dist/lib/core/errors.js",
    "qstream/lib/core/errors.ts",
    "qstream/actors",
    "qstream/readers",
  ]) {
    const code = await load(inside).then(
      () => "it was loaded",
      (error: NodeJS.ErrnoException) => error.code,
    );
    assert.is(code, "ERR_PACKAGE_PATH_NOT_EXPORTED", inside);
  }
});

test("every published path exists after a build", () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  for (const file of [...targets, ...Object.values(manifest.bin), ...manifest.files]) {
    assert.ok(existsSync(join(projectFolder, file)), `${file} doesn't exist`);
  }
});

test("types come first in each export", () => {
  for (const [path, target] of Object.entries(manifest.exports)) {
    if (typeof target !== "string") assert.is(Object.keys(target)[0], "types", path);
  }
});

test("the published types compile under TypeScript 6", () => {
  const entries = ["dist/lib/index.d.ts", "dist/lib/testing/index.d.ts"].map((file) => join(projectFolder, file));
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.esnext.iterator.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  });
  // Only our own declarations: those of other packages are theirs to keep true.
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(projectFolder, "dist")));
  const found = own.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  assert.ok(own.length >= entries.length, "the declarations were not read");
  assert.is(found.length, 0, ts.formatDiagnostics(found, formatHost));
}, 60_000);

test("the command is a Node program", () => {
  for (const file of Object.values(manifest.bin)) {
    assert.ok(read(file).startsWith("#!/usr/bin/env node\n"), `${file} has no shebang`);
  }
});

test("nothing runs when the package is installed", () => {
  const hooks = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
  assert.equal(
    hooks.filter((hook) => hook in manifest.scripts),
    [],
  );
  assert.match(read(".npmrc"), /^ignore-scripts=true$/m);
});

test("it is an ESM package for Node 20.19 and later", () => {
  assert.is(manifest.type, "module");
  assert.is(manifest.license, "Apache-2.0");
  assert.is(manifest.engines["node"], ">=20.19");
  assert.match(read("scripts/ensure.mjs"), 'nodeMinimum = "20.19.0"');
});

test("every dependency is pinned, and locked at its version", () => {
  const all = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.devDependencies };
  for (const [name, wanted] of Object.entries(all)) {
    assert.match(wanted, /^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/, `${name} is not pinned: ${wanted}`);
    assert.is(locked.packages[`node_modules/${name}`]?.version, wanted.replace(/^npm:.+@/, ""), name);
  }
});

test("the lockfile names no registry and has a checksum for each package", () => {
  for (const [place, entry] of Object.entries(locked.packages)) {
    assert.is(entry.resolved, undefined, place);
    if (place !== "") assert.type(entry.integrity, "string", `${place} has no checksum`);
  }
});

test("the lockfile has every platform's package, without which npm ci refuses it", () => {
  const wrong = Object.entries(locked.packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !isLocked(name, place))
      .map((name) => `${name} of ${place}`),
  );
  assert.equal(wrong, []);
});

test("every locked package that must be there runs on Node 20.19", () => {
  const wrong = Object.entries(locked.packages).flatMap(([place, { optional, engines }]) => {
    const range = engines !== undefined && "node" in engines ? engines.node : undefined;
    return optional === true || range === undefined || accepts(range, [20, 19, 0]) ? [] : [`${place} wants ${range}`];
  });
  assert.equal(wrong, []);
});

test("version ranges are read as npm reads them", () => {
  for (const range of [
    ">=18",
    ">= 10.x",
    "^20.19.0 || >=22.12.0",
    "*",
    ">=14 <21",
    "20.x",
    "~20.19",
    "20 || >=22",
    "",
  ]) {
    assert.ok(accepts(range, [20, 19, 0]), range);
  }
  for (const range of [">=22", "^18 || >=20.20", ">20.19.0", ">=4 <20", "~20.18.0", "21.x"]) {
    assert.not(accepts(range, [20, 19, 0]), range);
  }
});

/** Whether a package that `place` asks for is locked, in its own node_modules or in one above. */
function isLocked(name: string, place: string): boolean {
  const folders = place.split("/node_modules/");
  return (
    folders.some((_, index) => {
      const above = folders.slice(0, folders.length - index).join("/node_modules/");
      return `${above === "" ? "" : `${above}/`}node_modules/${name}` in locked.packages;
    }) || `node_modules/${name}` in locked.packages
  );
}

type Version = readonly [number, number, number];

/** Whether an npm version range accepts a version; the forms that engines are written in. */
function accepts(range: string, version: Version): boolean {
  return range.split("||").some((alternative) => {
    const parts = alternative.replaceAll(/([<>=^~])\s+/g, "$1").split(/\s+/);
    return parts.filter((part) => part !== "").every((part) => acceptsPart(part, version));
  });
}

function acceptsPart(part: string, version: Version): boolean {
  const match = /^(>=|<=|>|<|=|\^|~)?v?([\d*x]+)(?:\.([\d*x]+))?(?:\.([\d*x]+))?/i.exec(part);
  if (match === null) return false;
  const given = match.slice(2, 5).map((text) => (text === undefined || /[*x]/i.test(text) ? undefined : Number(text)));
  const [major, minor, patch] = given;
  if (major === undefined) return true;
  const order = compare(version, [major, minor ?? 0, patch ?? 0]);
  switch (match[1]) {
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case "^":
      return order >= 0 && version[0] === major;
    case "~":
      return order >= 0 && version[0] === major && (minor === undefined || version[1] === minor);
    default:
      return [major, minor, patch].every((number, index) => number === undefined || number === version[index]);
  }
}

function compare(left: Version, right: Version): number {
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => projectFolder,
  getNewLine: () => "\n",
};

// A specifier in a variable: the compiler must not look for what must not be there.
function load(specifier: string): Promise<Record<string, unknown>> {
  return import(specifier) as Promise<Record<string, unknown>>;
}

function read(file: string): string {
  return readFileSync(join(projectFolder, file), "utf8");
}

test.run();
