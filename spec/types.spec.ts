// specs: timeout 120 s
// The types of the public face, as a project sees them that has the package in its node_modules: what must compile does,
// what must not doesn't, and inferred types can be named in declarations. Under TypeScript 6 and 7.

import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { projectFolder } from "./kit/sources.ts";
import { suite } from "./kit/suite.ts";

const test = suite("types");
const compilers = { "TypeScript 6": "typescript-6", "TypeScript 7": "typescript" } as const;
const refusedLeast = 100;
// A second or two each, on a machine that does nothing else.
const compileMs = 60_000;

const project = mkdtempSync(join(tmpdir(), "qstream-types-"));
const types = join(project, "types");

test.before(() => {
  cpSync(join(projectFolder, "spec/types"), types, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  installOurs();
  installUnexported();
  // What our declarations need; a package is found from where it really is.
  for (const name of ["@types/node", "apache-arrow", "nodejs-polars"]) {
    mkdirSync(dirname(join(project, "node_modules", name)), { recursive: true });
    symlinkSync(join(projectFolder, "node_modules", name), join(project, "node_modules", name));
  }
});

test.after(() => rmSync(project, { recursive: true, force: true }));

for (const [compiler, packageName] of Object.entries(compilers)) {
  test(
    `what must compile does, and what must not doesn't (${compiler})`,
    async () => {
      assert.equal(await compile(packageName, "tsconfig.json"), []);
    },
    compileMs,
  );

  test(
    `a project publishes declarations of inferred types (${compiler})`,
    async () => {
      assert.equal(await compile(packageName, "consumer/tsconfig.json"), []);
    },
    compileMs,
  );

  test(
    `a file that is wrong is found (${compiler})`,
    async () => {
      const found = await compile(packageName, "broken/tsconfig.json");
      assert.is(found.length, 3, found.join("\n"));
      assert.ok(hasError(found, "unneeded.ts", ["TS2578"]), found.join("\n"));
      assert.ok(hasError(found, "wrong.ts", ["TS2339"]), found.join("\n"));
      assert.ok(hasError(found, "unnamed.ts", ["TS2742", "TS2883", "TS4023"]), found.join("\n"));
    },
    compileMs,
  );
}

test(`at least ${refusedLeast} cases are refused`, () => {
  const folder = join(projectFolder, "spec/types/refused");
  const cases = readdirSync(folder).flatMap(
    (file) => readFileSync(join(folder, file), "utf8").match(/@ts-expect-error: \S/g) ?? [],
  );
  assert.ok(cases.length >= refusedLeast, `${cases.length} cases`);
});

test.run();

/** The errors that a compiler finds, a line each. */
async function compile(packageName: string, config: string): Promise<string[]> {
  const program = join(projectFolder, "node_modules", packageName, "bin/tsc");
  const child = spawn(process.execPath, [program, "-p", join(types, config), "--pretty", "false"], {
    cwd: project,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (output += String(chunk)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const errors = output.split("\n").filter((line) => /error TS\d+/.test(line));
  // Anything but errors in files, such as a compiler that didn't start.
  if (errors.length === 0 && code !== 0) return [output];
  return errors;
}

function hasError(lines: readonly string[], file: string, codes: readonly string[]): boolean {
  return lines.some((line) => line.includes(file) && codes.some((code) => line.includes(code)));
}

/** The package as npm would install it, as far as a compiler looks: manifest and declarations. */
function installOurs(): void {
  const folder = join(project, "node_modules/qstream");
  mkdirSync(folder, { recursive: true });
  cpSync(join(projectFolder, "package.json"), join(folder, "package.json"));
  for (const part of ["lib", "actors", "operators", "readers"]) {
    cpSync(join(projectFolder, "dist", part), join(folder, "dist", part), {
      recursive: true,
      filter: (path) => !/\.\w+$/.test(path) || path.endsWith(".d.ts"),
    });
  }
}

/** A package whose function returns a type that its entry doesn't export. */
function installUnexported(): void {
  const folder = join(project, "node_modules/unexported");
  mkdirSync(folder, { recursive: true });
  const manifest = { name: "unexported", type: "module", exports: { ".": { types: "./index.d.ts" } } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "inner.d.ts"), "export interface Inner { readonly one: 1; }\n");
  writeFileSync(
    join(folder, "index.d.ts"),
    'import type { Inner } from "./inner.js";\nexport declare function hidden(): Inner;\n',
  );
}
