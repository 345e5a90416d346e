import { execFile } from "node:child_process";
import { join } from "node:path";
import type { Patch } from "./mutating-loader.ts";
import { projectFolder } from "./sources.ts";

/** What became of a broken engine. */
export interface Verdict {
  /** Why it was found; undefined if it survived all seeds. */
  readonly reason: string | undefined;
  readonly seeds: number;
}

const lateMs = 150_000;
const notLoaded = 3;

/** Runs a broken engine until a seed shows it. Undefined where what is left can't be loaded. */
export function runMutant(patches: readonly Patch[], seeds: number): Promise<Verdict | undefined> {
  const program = join(projectFolder, "dist/spec/kit/run-mutant.js");
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const words = ["--no-warnings", program, JSON.stringify(patches), String(seeds)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, words, { env, timeout: lateMs, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Verdict);
      else if (error.code === notLoaded && stderr.includes(" times: ")) reject(new Error(stderr));
      else if (error.code === notLoaded) resolve(undefined);
      // It runs in a circle, or throws where nobody catches it: that is seen too.
      else
        resolve({ seeds: 0, reason: error.killed === true ? "it never ended" : `it crashed: ${stderr.slice(0, 500)}` });
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
