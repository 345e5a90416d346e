import { spawn } from "node:child_process";
import { join } from "node:path";
import { projectFolder } from "../../kit/sources.ts";

/** How a command ended, and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** From the signal that was sent to the end. */
  readonly afterSignal: number;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Sent once, as soon as standard error or standard output has `sayUntil`. */
  readonly signal?: NodeJS.Signals;
  readonly sayUntil?: string;
  /** Called then. */
  readonly said?: () => void;
  /** Closes standard output at once, as `head` does. */
  readonly deaf?: boolean;
}

/** A flow of the specs, as TypeScript. */
export const flowPath = (name: string): string => join(projectFolder, "spec/lib/cli/flows", name);

/** The same flow, compiled. */
export const compiledPath = (name: string): string => join(projectFolder, "dist/spec/lib/cli/flows", name);

/** Runs `qstream` in a process of its own. */
export async function qstream(words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const started = performance.now();
  const { QSTREAM_SLOT: _slot, NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(process.execPath, [join(projectFolder, "dist/lib/cli/main.js"), ...words], {
    cwd: options.cwd ?? projectFolder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr, signalled] = ["", "", 0];
  const look = (text: string): void => {
    const { signal, said, sayUntil = "" } = options;
    if ((signal ?? said) === undefined || signalled > 0 || !text.includes(sayUntil)) return;
    signalled = performance.now();
    said?.();
    if (signal !== undefined) child.kill(signal);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => look((stdout += text)));
  if (options.deaf === true) child.stdout.destroy();
  child.stderr.setEncoding("utf8").on("data", (text: string) => look((stderr += text)));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once("close", resolve).once("error", reject),
  );
  const ended = performance.now();
  return { code, stdout, stderr, milliseconds: ended - started, afterSignal: signalled === 0 ? 0 : ended - signalled };
}
