import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Patch } from "../../kit/mutating-loader.ts";
import { projectFolder } from "../../kit/sources.ts";

const endsWithinMs = 30_000;
const errorsKept = 2000;

/**
 * Runs the check of an example, a module's export `check`, with an example that has a mistake. Gives what the check said of it;
 * undefined if it found nothing.
 *
 * @param checks - path of the module in this folder: "graphs/page-rank-checks"
 * @throws Error if the text to be changed isn't there
 */
export function foundBy(checks: string, patches: readonly Patch[]): Promise<string | undefined> {
  const program = join(projectFolder, "dist/spec/examples/algorithms/run-broken-flow.js");
  const child = spawn(process.execPath, ["--no-warnings", program, JSON.stringify(patches), `./${checks}.js`]);
  const timer = setTimeout(() => child.kill("SIGKILL"), endsWithinMs);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(0, errorsKept)));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (errors.includes(" times: ")) reject(new Error(errors));
      else if (signal !== null) resolve("it never ended");
      else resolve(code === 0 ? undefined : errors);
    });
  });
}
