import { execFile } from "node:child_process";
import { projectFolder } from "./sources.ts";

/** How a command ended, and what it printed. */
export interface ShellEnded {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const outputMax = 64 << 20;

/** Runs a command as somebody does who pastes it, in the project's folder. */
export function runShell(command: string): Promise<ShellEnded> {
  const { QSTREAM_SLOT: _slot, NODE_OPTIONS: _options, ...env } = process.env;
  return new Promise((resolve) => {
    execFile("/bin/sh", ["-c", command], { cwd: projectFolder, env, maxBuffer: outputMax }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}
