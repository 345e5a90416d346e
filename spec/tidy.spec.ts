// The rules of the house, as tests: who may import whom, what only the seam may touch, sizes and names. A rule that can't
// be checked here is in CONTRIBUTING.md.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-6";
import * as assert from "uvu/assert";
import { eachNode, filesBelow, placeOf, projectFolder, readSources, type Source } from "./kit/sources.ts";
import { suite } from "./kit/suite.ts";

const test = suite("tidy");
const sources = readSources();
const published = sources.filter(({ file }) => /^(lib|actors|operators|readers)\//.test(file));
const specs = sources.filter(({ file }) => /\.(spec|soak)\.ts$/.test(file));

const runtime = [
  "actors",
  "actors/slots",
  "lib/placement",
  "lib/partition",
  "lib/files",
  "lib/core",
  "readers",
  "operators",
];

// What each place may import beside itself; spec/ may import anything.
const levels: Readonly<Record<string, readonly string[]>> = {
  "lib/core": [],
  "lib/files": ["lib/core"],
  // Brings flow modules to slots: compiles them, and bundles them for other machines.
  "lib/code": ["lib/core"],
  "lib/partition": ["lib/core"],
  "lib/placement": ["lib/core"],
  readers: ["lib/core", "lib/files"],
  operators: ["lib/core", "lib/files"],
  actors: ["actors/slots", "lib/core", "lib/placement"],
  // Where a slot begins, what it reaches the outside world with is put together: also its files.
  "actors/slots": ["actors", "lib/core", "lib/placement", "lib/files"],
  "lib/flow": ["lib/code", ...runtime],
  "lib/actors": ["lib/flow", "lib/code", ...runtime],
  // Heads, drivers, workers and clients of clusters.
  "lib/cluster": ["lib/actors", "lib/flow", "lib/code", ...runtime],
  "lib/frame": ["lib/flow", "lib/code", ...runtime],
  "lib/testing": ["lib/frame", "lib/cluster", "lib/actors", "lib/flow", "lib/code", ...runtime],
  "lib/cli": ["lib/testing", "lib/frame", "lib/cluster", "lib/actors", "lib/flow", "lib/code", ...runtime],
  "lib/index.ts": [
    "lib/frame",
    "lib/testing",
    "lib/cli",
    "lib/cluster",
    "lib/actors",
    "lib/flow",
    "lib/code",
    ...runtime,
  ],
  benchmarks: [],
  examples: [],
};

// Where time, turns, randomness, threads, sockets and files may be touched.
const seam = [
  "lib/core/seam",
  "lib/code",
  "lib/files",
  "lib/cli",
  "lib/cluster",
  "lib/testing",
  "actors/stores",
  "actors/transport",
  "actors/slots",
  "actors/hosts",
];
const outsideModules = new Set(
  [
    ["child_process", "cluster", "dgram", "dns", "fs", "fs/promises", "http", "http2", "https", "inspector", "net"],
    ["perf_hooks", "readline", "readline/promises", "timers", "timers/promises", "tls", "worker_threads"],
  ]
    .flat()
    .flatMap((name) => [name, `node:${name}`]),
);
const outsideGlobals = new Set(["setTimeout", "setInterval", "setImmediate", "fetch", "WebSocket", "BroadcastChannel"]);
const outsideProperties = new Set([
  "Date.now",
  "Math.random",
  "performance.now",
  "performance.timeOrigin",
  "process.hrtime",
  "crypto.getRandomValues",
  "crypto.randomUUID",
]);
const randomNames = new Set(["randomBytes", "randomFill", "randomInt", "randomUUID", "getRandomValues", "webcrypto"]);

const heavyPackages = ["apache-arrow", "nodejs-polars", "@aws-sdk/"];

test("an import goes down a level, never up or sideways", () => {
  const wrong = sources.flatMap((source) => {
    if (source.file.startsWith("spec/")) return [];
    const place = placeOfFile(source.file);
    const allowed = levels[place];
    if (allowed === undefined) return [`${source.file}: ${place} has no level; add it to spec/tidy.spec.ts`];
    return source.imports
      .filter(({ file }) => file !== undefined && ![place, ...allowed].includes(placeOfFile(file)))
      .map(({ file, line }) => `${source.file}:${line} imports ${file}`);
  });
  none(wrong, "imports that go up or sideways");
});

test("a folder with an index.ts is entered by it", () => {
  const wrong = sources
    .filter(({ file }) => !file.startsWith("spec/"))
    .flatMap((source) =>
      source.imports.flatMap(({ file, line, typeOnly }) => {
        const door = file === undefined || typeOnly ? undefined : doorTo(source.file, file);
        return door === undefined || door === file ? [] : [`${source.file}:${line} imports ${file}, not ${door}`];
      }),
    );
  none(wrong, "imports of another folder's inside");
});

test("modules don't load each other in a circle", () => {
  const targets = new Map(
    sources.map(({ file, imports }) => [
      file,
      imports.filter(({ typeOnly, lazy }) => !typeOnly && !lazy).flatMap((found) => found.file ?? []),
    ]),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  none(circles, "circles");
});

test("examples and benchmarks import qstream by name and nothing of its inside", () => {
  const wrong = sources
    .filter(({ file }) => /^(examples|benchmarks)\//.test(file))
    .flatMap(({ file, imports }) =>
      imports
        .filter(({ specifier }) => /^qstream\b/.test(specifier) && !/^qstream(\/testing)?$/.test(specifier))
        .map(({ line, specifier }) => `${file}:${line} imports ${specifier}`),
    );
  none(wrong, "imports of the inside");
});

test("time, turns, randomness, threads, sockets and files are touched in the seam only", () => {
  const wrong = published
    .filter(({ file }) => !seam.some((place) => file.startsWith(`${place}/`) || file === `${place}.ts`))
    .flatMap(outsideOf);
  none(wrong, "uses of the outside world; reach it through ctx or a seam");
});

test("one file knows nact", () => {
  const files = published.filter(({ imports }) => imports.some(({ specifier }) => specifier === "nact"));
  assert.equal(
    files.map(({ file }) => file),
    ["actors/hosts/nact-host.ts"],
  );
});

test("heavy packages load when they are needed", () => {
  const wrong = published.flatMap(({ file, imports }) =>
    imports
      .filter(({ typeOnly, lazy }) => !typeOnly && !lazy)
      .filter(({ specifier }) => heavyPackages.some((name) => specifier.startsWith(name)))
      .map(({ line, specifier }) => `${file}:${line} loads ${specifier}`),
  );
  none(wrong, "heavy packages loaded with the module");
});

test("every spec file runs its suites", () => {
  assert.ok(specs.length > 0, "there are no specs");
  const wrong = specs.filter((source) => {
    let [made, run] = [0, 0];
    eachNode(source, (node) => {
      if (!ts.isCallExpression(node)) return;
      if (ts.isIdentifier(node.expression) && node.expression.text === "suite") made += 1;
      if (ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === "run") run += 1;
    });
    return made === 0 || run < made;
  });
  none(
    wrong.map(({ file }) => file),
    "spec files with a suite that isn't run",
  );
});

test("every spec file is named for what it is about", () => {
  const own = new Set(["bad-input", "cluster", "contract", "faults", "kit", "soak", "topologies", "types"]);
  const wrong = specs.filter(({ file }) => {
    const subject = file.replace(/^spec\//, "").replace(/\.(spec|soak)\.ts$/, "");
    if (subject === "tidy" || own.has(subject.split("/")[0] ?? "")) return false;
    const folder = dirname(subject);
    if (folder !== ".") return !existsSync(join(projectFolder, folder));
    return ![subject, `${subject}.json`, `lib/${subject}`].some((place) => existsSync(join(projectFolder, place)));
  });
  none(
    wrong.map(({ file }) => file),
    "spec files that mirror no place of the project",
  );
});

test("files have kebab-case names", () => {
  const files = [...sources.map(({ file }) => file), ...filesBelow("docs"), ...filesBelow("scripts")];
  const named = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)+$/;
  const exempt = /(^|\/)(README\.md|generated\/.*)$/;
  const wrong = files.filter((file) => !exempt.test(file) && !named.test(file.split("/").at(-1) ?? ""));
  none(wrong, "files with other names");
});

test("no file is longer than 400 lines and no function than 70", () => {
  const wrong = sources
    .filter(({ generated }) => !generated)
    .flatMap((source) => {
      const lines = source.text.trimEnd().split("\n").length;
      return [...(lines > 400 ? [`${source.file}: ${lines} lines`] : []), ...longFunctions(source)];
    });
  none(wrong, "files or functions that are too long");
});

test("nothing is left for later", () => {
  // Written so that it doesn't find itself.
  const later = /\b(TO[D]O|FIX[M]E|XX[X])\b/;
  const wrong = sources
    .filter(({ generated }) => !generated)
    .flatMap(({ file, text }) =>
      text.split("\n").flatMap((line, index) => (later.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
    );
  none(wrong, "notes for later");
});

function none(wrong: readonly string[], what: string): void {
  assert.ok(wrong.length === 0, `${what}:\n      ${wrong.join("\n      ")}`);
}

/** The place of `levels` that a file belongs to: "lib/core", "readers". */
function placeOfFile(file: string): string {
  const [first = "", second = ""] = file.split("/");
  if (first === "actors" && second === "slots") return "actors/slots";
  return first === "lib" ? `${first}/${second}` : first;
}

/**
 * The index.ts through which `from` should import `to`: of the innermost folder around `to` that has one. lib/core is open
 * to all of ours, and lib/index.ts is the public face, not a door between our own folders.
 */
function doorTo(from: string, to: string): string | undefined {
  if (to.startsWith("lib/core/")) return undefined;
  for (let folder = dirname(to); folder !== "." && folder !== "lib"; folder = dirname(folder)) {
    if (from.startsWith(`${folder}/`)) return undefined;
    if (existsSync(join(projectFolder, folder, "index.ts"))) return `${folder}/index.ts`;
  }
  return undefined;
}

function outsideOf(source: Source): string[] {
  const found = source.imports
    .filter(({ typeOnly, specifier, names }) => {
      if (typeOnly) return false;
      return (
        outsideModules.has(specifier) ||
        (/^(node:)?crypto$/.test(specifier) && names.some((name) => randomNames.has(name)))
      );
    })
    .map(({ line, specifier }) => `${source.file}:${line} imports ${specifier}`);
  eachNode(source, (node) => {
    const use = outsideUse(node);
    if (use !== undefined) found.push(`${placeOf(source, node)} uses ${use}`);
  });
  return found;
}

function outsideUse(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0) {
    return "new Date()";
  }
  if (ts.isPropertyAccessExpression(node)) {
    const use = node.getText().replace(/^globalThis\./, "");
    return outsideProperties.has(use) || outsideGlobals.has(use) ? use : undefined;
  }
  if (!ts.isIdentifier(node) || !outsideGlobals.has(node.text)) return undefined;
  // A name after a dot, or of a member, is somebody else's: clock.setTimeout, { fetch() {} }.
  const { parent } = node;
  const member =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent)) &&
      parent.name === node) ||
    ts.isTypeQueryNode(parent);
  return member ? undefined : node.text;
}

function longFunctions(source: Source): string[] {
  const found: string[] = [];
  eachNode(source, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const lines = node
      .getText(source.tree)
      .split("\n")
      .filter((line) => !/^\s*($|\/\/|\*|\/\*)/.test(line)).length;
    if (lines > 70) found.push(`${placeOf(source, node)}: a function of ${lines} lines`);
  });
  return found;
}

test.run();
