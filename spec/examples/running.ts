import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { topologies } from "../../lib/testing/index.ts";
import type { Session } from "../../lib/flow/session.ts";
import type { Suite } from "../kit/suite.ts";

/** Runs an example as a program of its own, with more in its environment, and gives what it printed on standard output. */
export async function printedBy(
  example: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = fileURLToPath(new URL(`../../examples/${example}.js`, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--enable-source-maps", program, ...args], {
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  return stdout;
}

/** Tests the same on one thread, on two threads and on two processes. */
export function onEveryTopology(test: Suite, sentence: string, body: (session: Session) => Promise<void>): void {
  for (const topology of topologies()) {
    test(`${sentence}, on ${topology.name}`, async () => body(await topology.session()));
    test.after(() => topology.close());
  }
}
