// specs: timeout 300 s
// The code in README.md and docs/ is true: each TypeScript block compiles with the project's options, through the closed
// exports, and each program among them runs. What a fence may say is in CONTRIBUTING.md.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import * as assert from "uvu/assert";
import { blocksOf, commandsOf, filesOf, folderOf, linksOf, type DocFile } from "./kit/doc-code.ts";
import { filesBelow, projectFolder } from "./kit/sources.ts";
import { suite } from "./kit/suite.ts";

const test = suite("docs");
const documents = ["README.md", "CONTRIBUTING.md", ...filesBelow("docs").filter((file) => file.endsWith(".md"))];
const pages = documents
  .filter((document) => existsSync(join(projectFolder, document)))
  .map((document) => {
    const text = readFileSync(join(projectFolder, document), "utf8");
    const blocks = blocksOf(document, text);
    return { document, text, blocks, files: filesOf(blocks) };
  });

// In the folder of the build, where the package's own name resolves and nothing is committed.
const workFolder = join(projectFolder, "dist", "docs-code");
const programs = pages.flatMap(({ files }) => files).filter(({ path }) => path.endsWith(".ts"));

test("there is a README with code in it", () => {
  assert.ok(existsSync(join(projectFolder, "README.md")), "README.md doesn't exist");
  assert.ok(
    programs.some(({ document }) => document === "README.md"),
    "README.md has no program",
  );
});

test("blocks of a document have names of their own", () => {
  for (const { document, files } of pages) {
    const paths = files.map(({ path }) => path);
    assert.is(new Set(paths).size, paths.length, `${document} has two blocks of one name: ${paths.join(", ")}`);
  }
});

test("every TypeScript block compiles", async () => {
  rmSync(workFolder, { recursive: true, force: true });
  for (const { path, text } of pages.flatMap(({ files }) => files)) {
    for (const part of path.endsWith(".ts") ? ["source"] : ["programs"]) write(join(workFolder, part, path), text);
  }
  if (programs.length === 0) return;
  write(join(workFolder, "tsconfig.json"), JSON.stringify(compilerConfiguration(), undefined, 2));
  const { code, output } = await runNode(
    [join(projectFolder, "node_modules/typescript/bin/tsc"), "-p", "."],
    workFolder,
  );
  assert.is(code, 0, `the code of the documents doesn't compile (block-N.ts begins at line N):\n${output}`);
}, 60_000);

for (const { document, files } of pages) {
  const runnable = files.filter(({ run }) => run);
  if (runnable.length === 0) continue;
  test(`the programs of ${document} run`, async () => {
    await runPrograms(runnable);
  }, 120_000);
}

test("commands in shell blocks name scripts and files that exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const wrong = pages.flatMap(({ document, blocks, files }) => {
    const own = new Set(files.map(({ path }) => path.slice(folderOf(document).length + 1)));
    return commandsOf(blocks).flatMap(({ place, words }) => {
      const script = words[0] === "npm" && words[1] === "run" ? words[2] : undefined;
      const missing = filesNamed(words).filter((file) => !own.has(file) && !existsSync(join(projectFolder, file)));
      return [
        ...(script !== undefined && !(script in scripts) ? [`${place}: there is no script ${script}`] : []),
        ...missing.map((file) => `${place}: ${file} doesn't exist`),
      ];
    });
  });
  assert.equal(wrong, []);
});

test("links between documents lead somewhere", () => {
  const wrong = pages.flatMap(({ document, text }) =>
    linksOf(text)
      .filter((target) => !existsSync(join(projectFolder, normalize(join(dirname(document), target)))))
      .map((target) => `${document} links to ${target}`),
  );
  assert.equal(wrong, []);
});

function compilerConfiguration(): object {
  return {
    extends: "../../tsconfig.json",
    compilerOptions: {
      rootDir: "source",
      outDir: "programs",
      incremental: false,
      tsBuildInfoFile: null,
      declaration: false,
      declarationMap: false,
      // A page may show a value without using it.
      noUnusedLocals: false,
      noUnusedParameters: false,
      moduleDetection: "force",
    },
    include: ["source"],
    exclude: [],
  };
}

/** Runs the programs of a page one after the other, in one process: to load the package takes longer than most of them. */
async function runPrograms(files: readonly DocFile[]): Promise<void> {
  const programs = files.map(({ document, line, path }) => ({
    place: `${document}:${line}`,
    program: join(workFolder, "programs", path.replace(/\.ts$/, ".js")),
  }));
  const runner = join(workFolder, "run.mjs");
  const script = programs
    .map(
      ({ place, program }) => `console.error(${JSON.stringify(place)});\nawait import(${JSON.stringify(program)});\n`,
    )
    .join("");
  write(runner, `${script}console.error("all have run");\n`);
  const { code, output } = await runNode(["--enable-source-maps", runner], dirname(programs[0]?.program ?? ""));
  const last = programs.findLast(({ place }) => output.includes(`${place}\n`))?.place;
  assert.is(code, 0, `the program of ${last} ended with code ${code}:\n${output}`);
  assert.match(output, "all have run\n", `the program of ${last} ended the process`);
}

/** Words of a command that are input files: a path or a source file, not a pattern, a URL or the file of --json. */
function filesNamed(words: readonly string[]): string[] {
  return words
    .filter((_, index) => !["--json", "--out", "-o"].includes(words[index - 1] ?? ""))
    .map((word) => word.replace(/^[\w-]+=/, "").replaceAll(/["']/g, ""))
    .filter((word) => /^[\w./-]+\.(ts|js|mjs|json|csv|parquet|txt)$/.test(word));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function runNode(parameters: readonly string[], folder: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 110_000,
      killSignal: "SIGKILL",
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString("utf8") }));
  });
}

test.run();
