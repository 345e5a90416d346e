import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { FlowSession } from "../../lib/index.ts";
import type { Suite } from "../kit/suite.ts";
import { Everywhere } from "../topologies/everywhere.ts";
import { place } from "../topologies/place.ts";

/** Runs an example as a program of its own, with more in its environment, and gives what it printed on standard output. */
export async function printedBy(
  example: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return outputOf(`../../examples/${example}.js`, args, env);
}

/** Runs examples as programs, one after the other in one process, which starts faster. Gives what each of them printed. */
export async function printedByEach(examples: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const text = await outputOf("./run-examples.js", examples);
  return new Map(
    examples.map((example) => {
      const [, printed = ""] = text.split(`${headOf(example)}\n`);
      return [example, printed.split(headOf(""))[0] ?? ""];
    }),
  );
}

/** The line before what an example prints. */
export function headOf(example: string): string {
  return `=== ${example}`;
}

async function outputOf(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = fileURLToPath(new URL(path, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--enable-source-maps", program, ...args], {
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  return stdout;
}

/**
 * Tests the same on one thread, on two threads and on two processes; or at a place of its own, where a spec has named one.
 *
 * @param but - a topology that the test does without, as another shows the same there
 */
export function onEveryTopology(
  test: Suite,
  sentence: string,
  body: (session: FlowSession) => Promise<void>,
  but?: "two threads",
): void {
  new Everywhere(test, {}, but).each(sentence, body);
}

/** Adds a test of what isn't the same at every place: what a program prints, how it looks in one process. */
export function onThisMachine(test: Suite, ...parameters: Parameters<Suite>): void {
  if (place.only === undefined) test(...parameters);
}
