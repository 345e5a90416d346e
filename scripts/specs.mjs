// Runs spec files, each in a fresh process, and adds up what uvu reports. uvu is silent when `.run()` is missing, when a
// pattern matches nothing and when a test hangs; here a file without a test, no file at all, and a file that doesn't end
// in time are failures. What a file prints is shown in full when it fails; lines that begin with `note: ` always are.
//
// A spec file may say in its first lines, in comments of their own:
//   // specs: alone            no other file runs beside it
//   // specs: waits            it waits for time to pass more than it works: it runs beside those that work
//   // specs: timeout 300 s    it has this long instead of the usual limit, and begins before those with less
// It learns from QSTREAM_SPEC_SECONDS how long it has, which may be less where others took long. It may
// print `skipped: needs X` when something it needs can't be had here: counted as skipped, and failed when CI is set.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { filesBelow, root } from "./ensure.mjs";

const outputMax = 8 * 2 ** 20;
const inCi = !["", "0", "false"].includes(process.env["CI"] ?? "");

/** The line with which `npm test` and `npm run soak` end. */
export function totalsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Runs the files below spec/ with an ending (".spec.ts") whose path contains one of the patterns (none: all), up to
 * `atOnce` side by side (two unless told) and one more that mostly waits, each at most `fileSeconds`, together at most
 * `overallSeconds`. Gives the totals.
 */
export async function runSpecs({ ending, patterns, fileSeconds, overallSeconds, atOnce }) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  const files = filesBelow("spec", (name) => name.endsWith(ending)).filter((file) => matches(file, patterns));
  if (files.length === 0) {
    print(`no file spec/**/*${ending} matches${patterns.length > 0 ? ` ${patterns.join(" ")}` : ""}`);
    return { ...totals, failed: 1 };
  }
  const deadline = performance.now() + overallSeconds * 1000;
  const report = async (spec) => {
    const left = Math.max(1, (deadline - performance.now()) / 1000);
    const result = await runFile(spec.file, Math.min(spec.seconds ?? fileSeconds, left));
    for (const key of Object.keys(totals)) totals[key] += result[key];
    show(spec.file, result);
  };
  const specs = files.map(describe).toSorted((left, right) => (right.seconds ?? 0) - (left.seconds ?? 0));
  const [working, waiting, alone] = ["working", "waiting", "alone"].map((kind) =>
    specs.filter((spec) => spec.kind === kind),
  );
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const lanes = atOnce ?? Math.min(2, availableParallelism());
  await Promise.all([
    ...Array.from({ length: lanes }, () => runAll([working, waiting], report)),
    ...(availableParallelism() > 1 ? [runAll([waiting], report)] : []),
  ]);
  await runAll([alone], report);
  process.off("SIGINT", stop).off("SIGTERM", stop);
  return totals;
}

function matches(file, patterns) {
  return patterns.length === 0 || patterns.some((pattern) => file.includes(pattern.replace(/^(\.\/|dist\/)/, "")));
}

function describe(file) {
  const head = readFileSync(join(root, file), "utf8").slice(0, 2000);
  const says = (words) => new RegExp(`^// specs: ${words}$`, "m").exec(head);
  const limit = says("timeout (\\d+) s");
  const kind = says("alone") !== null ? "alone" : says("waits") !== null ? "waiting" : "working";
  return { file, kind, seconds: limit === null ? undefined : Number(limit[1]) };
}

/** Takes from the first of the lists that has one left, until none has; others may take from them, too. */
async function runAll(lists, work) {
  const next = () => lists.find((list) => list.length > 0)?.shift();
  for (let spec = next(); spec !== undefined; spec = next()) await work(spec);
}

async function runFile(file, limitSeconds) {
  const program = join("dist", file.replace(/\.ts$/, ".js"));
  if (!existsSync(join(root, program))) return failure("it was not compiled", "", 0);
  const started = performance.now();
  const { code, signal, output, problem } = await runProcess(program, limitSeconds);
  return judge({ code, signal, output, problem, milliseconds: performance.now() - started });
}

/** What a file wants to be seen also where it passes: how much it did, what it couldn't do. */
export function notesOf(output) {
  return [...output.matchAll(/^note: .+$/gm)].map(([line]) => line);
}

function judge({ code, signal, output, problem, milliseconds }) {
  const counts = { total: 0, passed: 0, skipped: 0 };
  for (const key of Object.keys(counts)) {
    const title = key[0].toUpperCase() + key.slice(1);
    const all = [...output.matchAll(new RegExp(`^ {2}${title}: +(\\d+)$`, "gm"))];
    counts[key] = Number(all.at(-1)?.[1] ?? 0);
  }
  const needs = [...output.matchAll(/^skipped: needs .+$/gm)].map(([line]) => line);
  const result = {
    passed: counts.passed,
    failed: counts.total - counts.passed,
    skipped: counts.skipped + (inCi ? 0 : needs.length),
    needs,
    output,
    milliseconds,
  };
  const reason = problem ?? wrongEnd({ code, signal, counts, needs, failed: result.failed });
  if (reason === undefined) return result;
  // A test that uvu counted as failed already stands for a bad exit code.
  const counted = problem === undefined && result.failed > 0;
  return { ...result, failed: result.failed + (counted ? 0 : 1), problem: counted ? undefined : reason };
}

function wrongEnd({ code, signal, counts, needs, failed }) {
  if (signal !== null) return `it was ended by ${signal}`;
  if (code !== 0) return `it ended with code ${code}`;
  if (needs.length > 0 && inCi) return `${needs[0]}: must be there when CI is set`;
  if (counts.total + counts.skipped === 0 && needs.length === 0) return "it ran no test: is .run() missing?";
  return failed > 0 ? "it ended with code 0 although a test failed" : undefined;
}

function failure(problem, output, milliseconds) {
  return { passed: 0, failed: 1, skipped: 0, needs: [], output, problem, milliseconds };
}

// The file's processes are a group of their own, so that nothing it started outlives it.
function runProcess(program, limitSeconds) {
  return new Promise((resolve) => {
    const { QSTREAM_SLOT: _slot, FORCE_COLOR: _color, ...inherited } = process.env;
    const child = spawn(process.execPath, ["--enable-source-maps", program], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // Specs that are about lineage ask for a store of their own.
      env: { ...inherited, NO_COLOR: "1", QSTREAM_STORE: "none", QSTREAM_SPEC_SECONDS: String(limitSeconds) },
      detached: process.platform !== "win32",
    });
    const output = collect(child);
    let problem;
    let ended = { code: null, signal: null };
    let grace;
    const limit = setTimeout(() => {
      problem = `it didn't end within ${Math.round(limitSeconds)} s`;
      endGroup(child);
    }, limitSeconds * 1000);
    running.add(child);
    child.on("error", (error) => (problem ??= `it could not be started: ${error.message}`));
    child.on("exit", (code, signal) => {
      ended = { code, signal };
      grace = setTimeout(() => {
        problem ??= "it left a process behind that holds its output open";
        endGroup(child);
      }, 5000);
    });
    child.on("close", () => {
      clearTimeout(limit);
      clearTimeout(grace);
      endGroup(child);
      running.delete(child);
      resolve({ ...ended, output: output(), problem });
    });
  });
}

function collect(child) {
  const chunks = [];
  let bytes = 0;
  const take = (chunk) => {
    bytes += chunk.length;
    if (bytes <= outputMax) chunks.push(chunk);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return () => {
    const text = stripVTControlCharacters(Buffer.concat(chunks).toString("utf8"));
    return bytes > outputMax ? `${text}\n(${bytes - outputMax} bytes more were not kept)\n` : text;
  };
}

const running = new Set();

function endGroup(child) {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group has ended already.
  }
}

function stop(signal) {
  for (const child of running) endGroup(child);
  process.exit(signal === "SIGINT" ? 130 : 143);
}

function show(file, { passed, failed, skipped, needs, output, problem, milliseconds }) {
  const verdict = failed > 0 ? "FAILED" : "ok    ";
  const counts = totalsLine({ passed, failed, skipped });
  print(`${verdict} ${file}  ${counts}  ${(milliseconds / 1000).toFixed(1)} s`);
  for (const line of [...needs, ...notesOf(output)]) print(`       ${line}`);
  if (failed > 0) {
    if (output.trim() !== "") print(output.trimEnd());
    if (problem !== undefined) print(`${file}: ${problem}`);
  }
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
