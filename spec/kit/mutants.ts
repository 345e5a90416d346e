import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { FaultKind } from "../../lib/testing/simulation/index.ts";
import { simulatedFlows } from "../lib/testing/simulation/flows.ts";
import type { FlowName } from "../lib/testing/simulation/check-flows.ts";
import { healthyOutputs } from "./healthy-outputs.ts";
import type { Patch } from "./mutating-loader.ts";
import { projectFolder } from "./sources.ts";

/** What became of a broken engine. */
export interface Verdict {
  /** Why it was found; undefined if it survived all seeds. */
  readonly reason: string | undefined;
  readonly seeds: number;
  /** Runs the seed that found it again; undefined where it crashed, never ended, or is wrong without faults. */
  readonly command?: string;
}

// One turn of seeds takes well below a second; an engine that runs in a circle gives no sign of life any more.
const silentMs = 60_000;
const notLoaded = 3;
let healthy: Promise<Uint8Array> | undefined;

/**
 * Runs a broken engine until a seed shows it, or a broken cluster. Undefined where what is left can't be loaded.
 *
 * @param first - the simulated flow of an engine that is taken first; or all of them, with faults
 * @param faults - only these, and only in that flow, or in all; else all that an engine survives, in all flows
 */
export async function runMutant(
  patches: readonly Patch[],
  seeds: number,
  what: "run-mutant" | "run-cluster-mutant" = "run-mutant",
  first: FlowName | "all" = "join",
  faults?: readonly FaultKind[],
): Promise<Verdict | undefined> {
  const program = join(projectFolder, `dist/spec/kit/${what}.js`);
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const words = [
    "--no-warnings",
    program,
    JSON.stringify(patches),
    String(seeds),
    first,
    ...(faults === undefined ? [] : [faults.join()]),
  ];
  const given = what === "run-mutant" ? await (healthy ??= healthyOutputs(simulatedFlows)) : "";
  const child = spawn(process.execPath, words, { env });
  child.stdin.on("error", () => {}).end(given);
  let [stdout, stderr] = ["", ""];
  let silent = false;
  const giveUp = (): void => {
    silent = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(giveUp, silentMs);
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-errorsKept);
    clearTimeout(timer);
    timer = setTimeout(giveUp, silentMs);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      if (silent) resolve({ seeds: 0, reason: "it never ended" });
      else if (code === 0) resolve(JSON.parse(stdout) as Verdict);
      else if (code !== notLoaded) resolve({ seeds: 0, reason: `it crashed: ${stderr.slice(-500)}` });
      else if (stderr.includes(" times: ")) reject(new Error(stderr));
      else resolve(undefined);
    });
  });
}

const errorsKept = 4000;
const specMs = 60_000;

/** The specs of the room that a broken file lies in which notice it, by the first of them that does; undefined if none does. */
export async function specThatFinds(patch: Patch): Promise<string | undefined> {
  const room = join("spec", dirname(patch.file));
  const files = readdirSync(join(projectFolder, "dist", room)).filter((name) => name.endsWith(".spec.js"));
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- until one finds it
    if (await failsWith(patch, join(projectFolder, "dist", room, file))) return join(room, file.replace(/js$/u, "ts"));
  }
  return undefined;
}

/** True if a spec file fails, crashes or never ends with a broken engine. */
function failsWith(patch: Patch, file: string): Promise<boolean> {
  const program = join(projectFolder, "dist/spec/kit/run-spec-mutant.js");
  const words = ["--no-warnings", program, JSON.stringify([patch]), file];
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(process.execPath, words, { env, stdio: "ignore" });
  const timer = setTimeout(() => child.kill("SIGKILL"), specMs);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve(code !== 0);
    });
  });
}

/** Does something for each of several, a few at a time. */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const next = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- that is what it is for
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
