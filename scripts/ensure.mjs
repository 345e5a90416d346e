// What has to be there before anything of the project runs: a Node that is new enough, the locked dependencies, the
// build. Each part looks first and does only what is missing, so a second run needs no network and no compiler. Uses
// nothing but Node's own modules, for it runs straight after a clone. Progress goes to standard error, one line a phase.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const nodeMinimum = "20.19.0";

/** Folders whose TypeScript is compiled; the same list as `include` of tsconfig.json. */
export const sourceFolders = ["lib", "actors", "operators", "readers", "spec", "benchmarks", "examples"];

// What must not compile: `exclude` of tsconfig.json.
const notCompiled = "spec/types/";
const modules = join(root, "node_modules");
const dist = join(root, "dist");
const installStamp = join(modules, ".qstream-install");
const buildStamp = join(dist, ".qstream-build");

/** Prints one line of progress. */
export function say(text) {
  process.stderr.write(`qstream: ${text}\n`);
}

/** Ends the process with a message that says what to do. */
export function fail(text) {
  say(text);
  process.exit(1);
}

/** The path of a tool's program in node_modules, from the `bin` of its package. */
export function tool(packageName, binName = packageName) {
  const folder = join(modules, packageName);
  const { bin } = readJson(join(folder, "package.json"));
  return join(folder, typeof bin === "string" ? bin : bin[binName]);
}

/** Runs a Node program in the project's folder with this terminal's streams; gives its exit code. */
export function runNode(parameters, options = {}) {
  return run(process.execPath, parameters, options);
}

/** Node, dependencies and build, in this order. Gives false when the build failed; other failures end the process. */
export async function ensureAll() {
  ensureNode();
  await ensureInstalled();
  return ensureBuilt();
}

function ensureNode() {
  if (compareVersions(process.versions.node, nodeMinimum) < 0) {
    fail(
      `QStream needs Node ${nodeMinimum} or newer, and this is Node ${process.versions.node}. Install a newer Node.`,
    );
  }
}

async function ensureInstalled() {
  const lockFile = join(root, "package-lock.json");
  const wanted = `${hashOf([lockFile, join(root, "package.json")])} ${process.platform}-${process.arch}`;
  if (readText(installStamp) === wanted && foldersPresent()) return;
  if (installedAsLocked(lockFile) && foldersPresent()) {
    writeFileSync(installStamp, wanted);
    return;
  }
  say("installing the locked dependencies (npm ci)");
  const started = performance.now();
  // The build needs the development packages also where NODE_ENV is "production".
  const code = await runNpm(["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"]);
  if (code !== 0) {
    fail(`npm ci ended with code ${code}. The first installation needs the npm registry; see npm's message above.`);
  }
  writeFileSync(installStamp, wanted);
  say(`installed in ${seconds(started)}`);
}

// True where npm's own record of node_modules agrees with the lockfile, for instance after `npm ci` by hand. Optional
// packages of other platforms are in the lockfile only.
function installedAsLocked(lockFile) {
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = readJson(record).packages;
  return Object.entries(readJson(lockFile).packages).every(([place, locked]) => {
    if (place === "") return true;
    const found = installed[place];
    if (found === undefined) return locked.optional === true;
    return found.version === locked.version && found.integrity === locked.integrity;
  });
}

function foldersPresent() {
  const { dependencies, devDependencies } = readJson(join(root, "package.json"));
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) => existsSync(join(modules, name)));
}

async function ensureBuilt() {
  const sources = sourceFolders
    .flatMap((folder) => filesBelow(folder, (name) => name.endsWith(".ts")))
    .filter((file) => !file.startsWith(notCompiled));
  if (sources.length === 0) fail("there are no sources to build: is this a whole clone?");
  const inputs = [...sources, "tsconfig.json", "package-lock.json", "package.json"];
  const wanted = hashOf(inputs.map((file) => join(root, file)));
  removeStaleOutputs(new Set(sources));
  const complete = () => sources.every((file) => existsSync(join(dist, compiled(file))));
  if (readText(buildStamp) === wanted && complete()) return true;

  say(`building ${sources.length} files (tsc)`);
  const started = performance.now();
  rmSync(buildStamp, { force: true });
  let code = await compile();
  if (code === 0 && !complete()) {
    // The incremental record outlived some of the files that it speaks of.
    rmSync(join(dist, "tsconfig.tsbuildinfo"), { force: true });
    code = await compile();
  }
  if (code !== 0) {
    say(`the build failed: tsc ended with code ${code}`);
    return false;
  }
  mkdirSync(dist, { recursive: true });
  writeFileSync(buildStamp, wanted);
  say(`built in ${seconds(started)}`);
  return true;
}

function compile() {
  // Diagnostics go where progress goes, so that `npm run bench -- --json -` prints JSON and nothing else.
  return runNode([tool("typescript", "tsc"), "-p", "."], { stdio: ["ignore", 2, 2] });
}

function compiled(source) {
  return source.endsWith(".d.ts") ? "" : source.replace(/\.ts$/, ".js");
}

// Compiled files of sources that were renamed or removed would otherwise be published, or run as specs.
function removeStaleOutputs(sources) {
  for (const folder of sourceFolders) {
    for (const file of filesBelow(join("dist", folder), () => true)) {
      const source = file.slice("dist/".length).replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts");
      if (source.endsWith(".ts") && !sources.has(source)) rmSync(join(root, file), { force: true });
    }
  }
}

/** Files below a folder of the project for which `wanted` holds, as sorted paths from the root with forward slashes. */
export function filesBelow(folder, wanted) {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  const found = [];
  for (const entry of readdirSync(start, { withFileTypes: true })) {
    const path = `${folder.replaceAll("\\", "/")}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesBelow(path, wanted));
    else if (wanted(entry.name)) found.push(path);
  }
  // By code units, so that the order is the same on every machine.
  return found.sort((left, right) => (left < right ? -1 : 1));
}

/** Seconds since `started` (of `performance.now()`), to be read by people. */
export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

function runNpm(parameters) {
  const npm = process.env["npm_execpath"];
  // Inside `npm start` the running npm is known by path; otherwise it is looked up, on Windows through a shell.
  if (npm !== undefined && /\.c?js$/.test(npm)) return runNode([npm, ...parameters], { stdio: ["ignore", 2, 2] });
  return run("npm", parameters, { stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
}

function run(command, parameters, options) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { cwd: root, stdio: "inherit", ...options });
    // Ctrl-C reaches the child through the terminal: this process waits for how the child ends. Other stops are passed on.
    let interrupted = false;
    const interrupt = () => (interrupted = true);
    const pass = (signal) => child.kill(signal);
    process.on("SIGINT", interrupt).on("SIGTERM", pass);
    const end = (code) => {
      process.off("SIGINT", interrupt).off("SIGTERM", pass);
      if (interrupted && code !== 0) process.exit(130);
      resolve(code);
    };
    child.on("error", (error) => {
      say(`${command} could not be started: ${error.message}`);
      end(127);
    });
    child.on("exit", (code, signal) => end(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${file.slice(root.length)}\n`)
      .update(readFileSync(file))
      .update("\0");
  return hash.digest("hex");
}

function compareVersions(left, right) {
  const parts = (version) => version.split("-")[0].split(".").map(Number);
  const [a, b] = [parts(left), parts(right)];
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function readText(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
